"""A turn to be answered: the conversation it belongs to, its prompt, its version, its record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from records import conversations
from records.assistant import Assistant
from records.conversations import Arrival
from records.ids import new_id
from records.messages import ChatMessage, Message, Role, to_chat
from records.states import ConversationState
from records.tables import Turn
from serving.chat_request import ChatRequest
from serving.routing import Choice, Pin

_LETTERS_PER_TOKEN = 3
"""Fewer than most tokenizers need, so that a question is rather counted too long."""


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


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One turn of a customer, ready to be answered."""

    assistant: Assistant
    request: ChatRequest
    conversation_id: str
    choice: Choice
    known: Known | None = None

    @property
    def with_agent(self) -> bool:
        """Whether a person has the conversation, so that the model is silent."""
        return self.known is not None and self.known.state is ConversationState.WITH_AGENT

    @property
    def prompt(self) -> list[ChatMessage]:
        """The messages that the engine gets.

        A client's own history counts; where it sent one message only, the recorded history is
        put before it.
        """
        said = self.known.said if self.known and not self.request.brings_history else ()
        if said and _is_repeated(self.request, said[-1]):
            said = said[:-1]
        before = to_chat([m for m in said if m.content], system_prompt=self.assistant.system_prompt)
        return [*before, *self.request.messages]

    def shorter(self) -> "Dialogue | None":
        """The same turn with the older half of the recorded history left out of its prompt.

        None where the prompt holds no recorded history: what a client sends is not cut.
        """
        if self.known is None or not self.known.said or self.request.brings_history:
            return None
        kept = self.known.said[(len(self.known.said) + 1) // 2 :]
        known = replace(self.known, said=kept, tokens=self.known.tokens // 2)
        return replace(self, known=known)

    @property
    def leaves_no_room(self) -> bool:
        """Whether the recorded history, as last counted, would cut the answer short."""
        if self.known is None or not self.known.tokens:
            return False
        room = self.assistant.engine.max_model_len - self.assistant.generation.max_tokens
        asked = len(self.request.question) // _LETTERS_PER_TOKEN
        return self.known.tokens + asked > room

    @property
    def engine_body(self) -> dict[str, Any]:
        """The request to the engine, but for the model's name."""
        return self.assistant.engine_request(self.prompt, self.request.parameters)


def look_up(session: Session, *, assistant: str, key: str) -> Known | None:
    """What is known of the conversation that a client names."""
    found = conversations.find(session, assistant=assistant, key=key)
    if found is None:
        return None
    escalation = None
    if found.state in (ConversationState.ESCALATED, ConversationState.WITH_AGENT):
        escalation = conversations.open_escalation(session, found.id)
    turns = conversations.history(session, found.id)
    return Known(
        id=found.id,
        state=found.state,
        customer=found.customer,
        pin=Pin(found.version, found.experiment) if found.version else None,
        said=tuple(turn.message for turn in turns),
        tokens=next((_tokens(turn) for turn in reversed(turns) if turn.prompt_tokens), 0),
        escalation_id=escalation.id if escalation else None,
    )


def _tokens(turn: Turn) -> int:
    return (turn.prompt_tokens or 0) + (turn.completion_tokens or 0)


def open_dialogue(
    assistant: Assistant,
    request: ChatRequest,
    *,
    known: Known | None,
    choose: Callable[[str, Pin | None], Choice],
) -> Dialogue:
    """Settle which conversation a turn belongs to and which version answers it.

    `choose` takes the unit of assignment (customer, or else conversation) and the pin.
    """
    conversation_id = known.id if known else new_id("conv")
    unit = request.customer or (known and known.customer) or request.conversation or conversation_id
    choice = choose(unit, known.pin if known else None)
    dialogue = Dialogue(assistant, request, conversation_id, choice, known)
    while dialogue.leaves_no_room and (shorter := dialogue.shorter()) is not None:
        dialogue = shorter
    return dialogue


def record_question(session: Session, dialogue: Dialogue) -> str:
    """Record the customer's turn, starting the conversation where it is new; returns its id.

    What a client brings of an earlier dialogue is recorded with a new conversation, without a
    version, because nothing here answered it. A question that waits for its answer is not added
    again: its client tries once more because it got none.
    """
    request, choice = dialogue.request, dialogue.choice
    assistant = dialogue.assistant.name
    key = request.conversation
    found = conversations.find(session, assistant=assistant, key=key) if key else None
    if found is None:
        found = conversations.start(
            session,
            Arrival(
                assistant=assistant,
                conversation_id=dialogue.conversation_id,
                content=request.question,
                key=key,
                customer=request.customer,
                version=choice.version,
                experiment=choice.experiment,
            ),
        )
        new = [*request.earlier, Message(Role.CUSTOMER, request.question)]
    else:
        last = conversations.last_turn(session, found.id)
        repeated = last is not None and _is_repeated(request, last.message)
        anew = request.asks_anew and not repeated
        new = [Message(Role.CUSTOMER, request.question)] if anew else []
        found.customer = found.customer or request.customer
        if not dialogue.with_agent:
            found.version, found.experiment = choice.version, choice.experiment
    for message in new:
        conversations.add_turn(
            session, Turn(conversation_id=found.id, role=message.role, content=message.content)
        )
    return found.id


def _is_repeated(request: ChatRequest, last: Message) -> bool:
    """Whether a request asks what is recorded last already, which nobody has answered."""
    return request.asks_anew and last == Message(Role.CUSTOMER, request.question)
