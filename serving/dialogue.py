"""A turn to be answered: the conversation it belongs to, its prompt, its version, its record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from records import conversations, prompt
from records.assistant import Assistant
from records.ids import new_id
from records.messages import ChatMessage, Message, Role
from records.states import ConversationState, TurnStatus
from records.tables import Conversation, Turn
from serving.chat_request import ChatRequest
from serving.escalation_rules import EscalationRules, Handover
from serving.routing import Choice, Pin
from serving.turn_log import Entry, stamp


@dataclass(frozen=True, slots=True)
class Known:
    """What the records say of a conversation that goes on."""

    id: str
    state: ConversationState
    customer: str | None
    pin: Pin | None
    said: tuple[Message, ...]
    tokens: int
    """Of the last prompt with its answer; 0 where that is not known."""
    escalation_id: str | None

    @classmethod
    def begun(cls, conversation_id: str, *, customer: str | None = None) -> "Known":
        """A conversation of which nothing else is known."""
        return cls(conversation_id, ConversationState.OPEN, customer, None, (), 0, None)


@dataclass(slots=True, eq=False)  # not frozen: made for each request, and four times as costly
class Dialogue:
    """One turn of a customer, ready to be answered."""

    assistant: Assistant
    request: ChatRequest
    conversation_id: str
    choice: Choice
    known: Known | None = None
    handover: Handover | None = None
    """Why a person must answer, where that is known before the model is asked."""

    @property
    def with_agent(self) -> bool:
        """Whether a person has the conversation, so that the model is silent."""
        return self.known is not None and self.known.state is ConversationState.WITH_AGENT

    @property
    def is_certain(self) -> bool:
        """Whether nobody else can know the conversation before this turn is answered."""
        return self.known is None and self.request.conversation is None

    @property
    def answer_position(self) -> int | None:
        """Where the answer will stand, where that is certain; else the next free position."""
        return len(self.request.earlier) + 1 if self.is_certain else None

    @property
    def prompt(self) -> list[ChatMessage]:
        """The messages that the engine gets.

        A client's own history counts; where it sent one message only, the recorded history is
        put before it.
        """
        said = self.known.said if self.known and not self.request.brings_history else ()
        if said and _is_repeated(self.request, said[-1]):
            said = said[:-1]
        return prompt.prompt(self.assistant, said, self.request.messages)

    def shorter(self) -> "Dialogue | None":
        """The same turn with the older half of the recorded history left out of its prompt.

        None where the prompt holds no recorded history: what a client sends is not cut.
        """
        if self.known is None or not self.known.said or self.request.brings_history:
            return None
        kept = prompt.newer_half(self.known.said)
        known = replace(self.known, said=kept, tokens=self.known.tokens // 2)
        return replace(self, known=known)

    @property
    def leaves_no_room(self) -> bool:
        """Whether the recorded history, as last counted, would cut the answer short."""
        if self.known is None:
            return False
        return prompt.leaves_no_room(
            self.assistant, self.request.question, tokens=self.known.tokens
        )

    @property
    def engine_body(self) -> dict[str, Any]:
        """The request to the engine, but for the model's name."""
        return self.assistant.engine_request(self.prompt, self.request.parameters)


def look_up(session: Session, *, assistant: str, key: str) -> Known | None:
    """What is known of the conversation that a client names."""
    rows = session.execute(_LOOK_UP, {"assistant": assistant, "name": key}).all()
    if not rows:
        return None
    first = rows[0]
    escalation = None
    if first.state in (ConversationState.ESCALATED, ConversationState.WITH_AGENT):
        escalation = conversations.open_escalation(session, first.id)
    turns = [row for row in rows if row.role is not None]
    return Known(
        id=first.id,
        state=first.state,
        customer=first.customer,
        pin=Pin(first.version, first.experiment) if first.version else None,
        said=tuple(Message(row.role, row.content) for row in turns),
        tokens=next((_tokens(row) for row in reversed(turns) if row.prompt_tokens), 0),
        escalation_id=escalation.id if escalation else None,
    )


_LOOK_UP = (
    select(
        Conversation.id, Conversation.state, Conversation.customer, Conversation.version,
        Conversation.experiment, Turn.role, Turn.content, Turn.prompt_tokens,
        Turn.completion_tokens,
    )
    .outerjoin(Turn, Turn.conversation_id == Conversation.id)
    .where(
        Conversation.assistant == bindparam("assistant"),
        (Conversation.id == bindparam("name")) | (Conversation.key == bindparam("name")),
    )
    .order_by(Turn.position)
)  # fmt: skip


def _tokens(turn: Any) -> int:
    return (turn.prompt_tokens or 0) + (turn.completion_tokens or 0)


def open_dialogue(
    assistant: Assistant,
    request: ChatRequest,
    *,
    known: Known | None,
    choose: Callable[[str, Pin | None], Choice],
    rules: EscalationRules | None = None,
) -> Dialogue:
    """Settle which conversation a turn belongs to and which version answers it, if any may.

    `choose` takes the unit of assignment (customer, or else conversation) and the pin.
    """
    conversation_id = known.id if known else new_id("conv")
    unit = request.customer or (known and known.customer) or request.conversation or conversation_id
    choice = choose(unit, known.pin if known else None)
    handover = rules.find(request.question) if rules and request.asks_anew else None
    dialogue = Dialogue(assistant, request, conversation_id, choice, known, handover)
    while dialogue.leaves_no_room and (shorter := dialogue.shorter()) is not None:
        dialogue = shorter
    return dialogue


def question_entry(dialogue: Dialogue) -> Entry:
    """What is recorded of the customer's turn, starting the conversation where it is new.

    What a client brings of an earlier dialogue is recorded with a new conversation, without a
    version, because nothing here answered it. A question that waits for its answer is not added
    again: its client tries once more because it got none.
    """
    request, known = dialogue.request, dialogue.known
    if known is None:
        said = [*request.earlier, Message(Role.CUSTOMER, request.question)]
        turns = tuple(
            _question(dialogue, message, position=position) for position, message in enumerate(said)
        )
        return Entry(dialogue.conversation_id, turns, started=_started(dialogue))
    last = known.said[-1] if known.said else None
    turns = ()
    if request.asks_anew and not (last and _is_repeated(request, last)):
        turns = (_question(dialogue, Message(Role.CUSTOMER, request.question)),)
    return Entry(known.id, turns, changed=_changed(dialogue, known))


def _question(
    dialogue: Dialogue, message: Message, *, position: int | None = None
) -> dict[str, Any]:
    return {
        "id": new_id("turn"),
        "conversation_id": dialogue.conversation_id,
        "position": position,
        "role": message.role,
        "content": message.content,
        "created_at": stamp(),
        "status": TurnStatus.COMPLETE,
        "handed_over": False,
    }


def _started(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "id": dialogue.conversation_id,
        "assistant": dialogue.assistant.name,
        "key": dialogue.request.conversation,
        "customer": dialogue.request.customer,
        "state": ConversationState.OPEN,
        "version": None if dialogue.choice.for_tester else dialogue.choice.version,
        "experiment": dialogue.choice.experiment,
        "created_at": stamp(),
    }


def _changed(dialogue: Dialogue, known: Known) -> dict[str, Any] | None:
    """What a turn changes of its conversation: who it is with, what answers it."""
    choice = Pin(dialogue.choice.version, dialogue.choice.experiment)
    pin = known.pin if dialogue.with_agent or dialogue.choice.for_tester else choice
    customer = known.customer or dialogue.request.customer
    if (pin, customer) == (known.pin, known.customer):
        return None
    return {
        "customer": customer,
        "version": pin.version if pin else None,
        "experiment": pin.experiment if pin else None,
    }


def _is_repeated(request: ChatRequest, last: Message) -> bool:
    """Whether a request asks what is recorded last already, which nobody has answered."""
    return request.asks_anew and last == Message(Role.CUSTOMER, request.question)
