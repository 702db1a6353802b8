"""What the conversation API, ratings, outcomes and agents' desks promise."""

from typing import Any

from pydantic import AwareDatetime, Field

from records.messages import Role
from records.states import ConversationState, EscalationReason, EventKind, KeyScope, TurnStatus
from serving.contract.chat import ANSWER_HEADERS
from serving.contract.operation import Shown, told
from serving.contract.streams import events

_CONVERSATION = "conv_01m86eb5mkaajk1cehnt8n4f8s"
_QUESTION = "turn_01m86eb5ns4eemwws7g07pgss8"
_ANSWER = "turn_01m86eb5ns2ff35rgeqs7d0fjh"
_REPLY = "turn_01m86eb5t5afzayfax6x6zks7d"
_ESCALATION = "esc_01m86eb5qj6zcztn83efqmtqyz"
_AT = "2026-03-01T09:31:42.649371+00:00"
_CURSOR = Field(description="Where a stream of events goes on from here: `?from=`.")


class Conversation(Shown):
    """A conversation without its turns."""

    id: str
    assistant: str
    key: str | None = Field(description="The caller's own name for it.")
    customer: str | None
    state: ConversationState


class Turn(Shown):
    """One message of a conversation."""

    id: str
    position: int = Field(ge=0)
    role: Role
    content: str
    status: TurnStatus
    version: str | None = Field(description="What answered; null for people and fixed sentences.")
    created_at: AwareDatetime
    edited_at: AwareDatetime | None = Field(
        default=None, description="When its agent last edited it; left out where nobody did."
    )
    author: str | None = Field(default=None, description="The agent; for agents' keys only.")
    delivered_at: AwareDatetime | None = Field(
        default=None,
        description="When a client of the customer's first had an agent's words; for agents' keys "
        "only.",
    )
    removed_at: AwareDatetime | None = Field(
        default=None,
        description="When an agent took them back; customers' keys don't get such turns.",
    )
    withheld: str | None = Field(
        default=None,
        description="What the model said where the customer got a sentence in its place; for "
        "agents' keys only.",
    )


class WholeConversation(Conversation):
    """A conversation with its turns, and who is expected to speak."""

    escalation_id: str | None = Field(description="Of the escalation that is open.")
    cursor: str = _CURSOR
    turns: list[Turn]
    owner: str | None = Field(default=None, description="The agent; for agents' keys only.")
    reason: EscalationReason | None = Field(default=None, description="For agents' keys only.")
    cause: str | None = Field(default=None, description="For agents' keys only.")


class AnsweredTurn(Shown):
    """The assistant's turn as it is recorded, and what became of the conversation."""

    conversation_id: str
    id: str
    position: int | None = Field(description="Null while the database is away.")
    role: Role
    content: str
    status: TurnStatus
    version: str | None
    escalated: bool
    escalation_id: str | None
    reason: EscalationReason | None


class Escalation(Shown):
    """A person has been asked for."""

    conversation_id: str
    escalation_id: str
    state: ConversationState
    reason: EscalationReason
    message: str | None = Field(
        default=None, description="For the customer: that a colleague will reply, and when."
    )


class Ratings(Shown):
    """What was recorded."""

    conversation_id: str
    thumb: float | None = Field(default=None, description="1 for up, 0 for down.")
    csat: float | None = None


class Reported(Shown):
    """Whether a report was new."""

    recorded: bool
    known_already: bool


class Desk(Shown):
    """How a conversation stands once an agent has acted."""

    conversation_id: str
    state: ConversationState
    owner: str | None = Field(description="The agent who has it.")
    escalation_id: str | None


class Reply(Desk):
    """An agent's words, recorded."""

    turn_id: str
    position: int
    known_already: bool = Field(description="Whether this id was sent before.")


class BeginEvent(Shown):
    """Which turn of which conversation the answer will be."""

    conversation_id: str
    turn_id: str


class TokenEvent(Shown):
    """A piece of the answer."""

    text: str


class ConnectedEvent(Shown):
    """Who speaks now; always the first event."""

    conversation_id: str
    state: ConversationState


class TurnEvent(Shown):
    """A turn of the customer, the assistant or an agent is recorded."""

    conversation_id: str
    id: str
    position: int
    role: Role
    content: str
    status: TurnStatus
    version: str | None
    created_at: AwareDatetime
    edited_at: AwareDatetime | None = Field(
        default=None, description="When its agent last edited it; left out where nobody did."
    )


class EditedEvent(TurnEvent):
    """An agent changed words that were sent before: show these in the place of the turn's."""


class RemovedEvent(Shown):
    """An agent took words back: show the turn no more."""

    conversation_id: str
    id: str
    position: int
    removed_at: AwareDatetime


class StateEvent(Shown):
    """The conversation goes to a person, or comes back."""

    conversation_id: str
    kind: EventKind
    state: ConversationState = Field(description="For programs.")
    message: str = Field(description="For the customer.")
    escalation_id: str | None
    created_at: AwareDatetime


class TypingEvent(Shown):
    """An agent is writing."""

    for_seconds: int


SHOWN: tuple[type[Shown], ...] = (
    BeginEvent,
    TokenEvent,
    ConnectedEvent,
    TurnEvent,
    EditedEvent,
    RemovedEvent,
    StateEvent,
    TypingEvent,
)
"""Models that only events carry."""

_BEGUN = {
    "id": _CONVERSATION,
    "assistant": "support",
    "key": "chat-7",
    "customer": "ada",
    "state": "open",
}
_ESCALATED = {
    "conversation_id": _CONVERSATION,
    "escalation_id": _ESCALATION,
    "state": "escalated",
    "reason": "customer",
    "message": "I'm handing you over to a colleague, who will reply here.",
}
_TURNS: list[dict[str, Any]] = [
    {
        "id": _QUESTION,
        "position": 0,
        "role": "customer",
        "content": "Where is my card?",
        "status": "complete",
        "version": None,
        "created_at": _AT,
    },
    {
        "id": _ANSWER,
        "position": 1,
        "role": "assistant",
        "content": "It is on its way.",
        "status": "complete",
        "version": "support-base",
        "created_at": _AT,
    },
]
_ANSWERED = {
    "conversation_id": _CONVERSATION,
    "id": _ANSWER,
    "position": 1,
    "role": "assistant",
    "content": "It is on its way.",
    "status": "complete",
    "version": "support-base",
    "escalated": False,
    "escalation_id": None,
    "reason": None,
}
_TAKEN = {
    "conversation_id": _CONVERSATION,
    "state": "with_agent",
    "owner": "U0ANN",
    "escalation_id": _ESCALATION,
}
_ANSWER_EVENTS = f"""event: begin
data: {{"conversation_id":"{_CONVERSATION}","turn_id":"{_ANSWER}"}}

event: token
data: {{"text":"It is on its way."}}

event: turn
data: {{"conversation_id":"{_CONVERSATION}","id":"{_ANSWER}","position":1,"role":"assistant",\
"content":"It is on its way.","status":"complete","version":"support-base","escalated":false,\
"escalation_id":null,"reason":null}}

"""
_FOLLOWED_EVENTS = f"""retry: 1000

id: 1.0
event: connected
data: {{"conversation_id":"{_CONVERSATION}","state":"escalated"}}

id: 1.2
event: state
data: {{"conversation_id":"{_CONVERSATION}","kind":"taken","state":"with_agent",\
"message":"A colleague has taken over and will reply to you here.",\
"escalation_id":"{_ESCALATION}","created_at":"{_AT}"}}

id: 1.3
event: typing
data: {{"for_seconds":8}}

id: 2.3
event: turn
data: {{"conversation_id":"{_CONVERSATION}","id":"{_REPLY}","position":2,"role":"agent",\
"content":"It was posted on Monday.","status":"complete","version":null,"created_at":"{_AT}"}}

"""


def _linked(operation: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {"conversation_id": "$response.body#/id"},
    }


_CUSTOMER = (KeyScope.CUSTOMER,)
_READER = (KeyScope.CUSTOMER, KeyScope.AGENT)
_AGENT = (KeyScope.AGENT,)

CREATE = told(
    scopes=_CUSTOMER,
    answer=Conversation,
    examples={"a conversation": _BEGUN},
    asked={
        "with a key of yours": {"customer_id": "ada", "key": "chat-7"},
        "nothing is known": {},
    },
    also={201: "It is new."},
    errors=(404, 409),
    links={
        "its next turn": _linked("add_turn"),
        "its turns": _linked("get_conversation"),
        "its events": _linked("follow_conversation"),
        "a person": _linked("escalate_conversation"),
        "its rating": _linked("rate_conversation"),
    },
)
GET = told(
    scopes=_READER,
    answer=WholeConversation,
    examples={
        "for a customer's backend": {
            **_BEGUN,
            "escalation_id": None,
            "cursor": "1.0",
            "turns": _TURNS,
        },
        "for an agent's desk": {
            **_BEGUN,
            "state": "with_agent",
            "escalation_id": _ESCALATION,
            "cursor": "1.2",
            "turns": [{**turn, "author": None, "withheld": None} for turn in _TURNS],
            "owner": "U0ANN",
            "reason": "customer",
            "cause": "The customer pressed the button.",
        },
    },
    errors=(404,),
)
FOLLOW = told(
    scopes=_READER,
    content=events(
        {
            "connected": "ConnectedEvent",
            "turn": "TurnEvent",
            "edited": "EditedEvent",
            "removed": "RemovedEvent",
            "state": "StateEvent",
            "typing": "TypingEvent",
        },
        example=_FOLLOWED_EVENTS,
        resumed=True,
    ),
    errors=(404, 409),
)
ADD_TURN = told(
    scopes=_CUSTOMER,
    answer=AnsweredTurn,
    examples={"in one piece": _ANSWERED},
    asked={
        "streamed": {"content": "Where is my card?"},
        "in one piece": {"content": "Where is my card?", "stream": False},
    },
    content=events(
        {"begin": "BeginEvent", "token": "TokenEvent", "turn": "AnsweredTurn", "error": "Error"},
        example=_ANSWER_EVENTS,
    ),
    errors=(404,),
    headers=ANSWER_HEADERS,
)
ESCALATE = told(
    scopes=_CUSTOMER,
    answer=Escalation,
    examples={"a person is asked": _ESCALATED},
    asked={"a button": {"cause": "The customer pressed the button."}, "no words": {}},
    errors=(404,),
)
RATE = told(
    scopes=_CUSTOMER,
    answer=Ratings,
    examples={"both": {"conversation_id": _CONVERSATION, "thumb": 1.0, "csat": 5.0}},
    asked={
        "both": {"csat": 5, "thumb": "up", "comment": "Quick."},
        "one answer": {"thumb": "down", "turn_id": _ANSWER},
    },
    errors=(404,),
)
REPORT = told(
    scopes=_CUSTOMER,
    answer=Reported,
    examples={
        "new": {"recorded": True, "known_already": False},
        "reported before": {"recorded": False, "known_already": True},
    },
    asked={
        "of a customer, later": {
            "id": "basket-9",
            "metric": "order_value",
            "value": 39.9,
            "customer_id": "ada",
            "occurred_at": "2026-03-01T10:00:00+01:00",
        },
        "of a conversation": {"metric": "accepted", "value": 1, "conversation_id": "chat-7"},
    },
    errors=(404, 409),
)


def _act(**more: dict[str, Any]) -> dict[str, Any]:
    asked = {"by an agent": {"agent": "U0ANN"}}
    for name, said in more.items():
        asked[name.replace("_", " ")] = {"agent": "U0ANN", **said}
    return told(
        scopes=_AGENT,
        answer=Desk,
        examples={"as it stands": _TAKEN},
        asked=asked,
        errors=(404, 409),
    )


TAKE_OVER, TYPING, HAND_BACK = (_act() for _ in range(3))
RESOLVE = _act(nothing_to_learn_from={"resolution": "no_reply", "save_example": False})
REPLY = told(
    scopes=_AGENT,
    answer=Reply,
    examples={
        "said": {**_TAKEN, "turn_id": _REPLY, "position": 2, "known_already": False},
    },
    asked={
        "words": {"agent": "U0ANN", "id": "r-1", "content": "It was posted on Monday."},
    },
    errors=(404, 409),
)
