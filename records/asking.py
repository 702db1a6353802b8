"""Colleagues ask the assistant themselves: versions on trial, two side by side, drafts of replies.

Each thread and version is a conversation of its own, marked `trial`: no customer's, counted in no
metric, never escalated. It has no key, so that nobody can name it and go on with it. What was asked
of whom in a thread stands in the audit. A question keeps the place after it free for its answer, so
that what is asked before an earlier answer has come does not stand between the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, conversations
from records.errors import InvalidInput
from records.ids import new_id
from records.messages import Message, Role
from records.states import ConversationState
from records.tables import Audit, Conversation, Escalation, Turn

ASKED = "ask:"
"""How a question's source begins: `ask:<channel>:<thread>:<ts>:<version>`."""
ANSWER = "answer:"
"""How an answer's source begins: `answer:<question>`."""
_ACTION = "ask_versions"


@dataclass(frozen=True, slots=True)
class Thread:
    """Where in Slack it is asked."""

    channel: str
    ts: str

    @property
    def subject(self) -> str:
        """What the audit calls it."""
        return f"slack:{self.channel}:{self.ts}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it comes in; `ts` is its message's, `about` the escalation of its thread."""

    thread: Thread
    ts: str
    user: str
    assistant: str
    versions: Sequence[str]
    words: str
    about: str | None = None


def ask(session: Session, asked: Asked) -> list[Turn]:
    """Record a question, once for each version, in the order in which their answers are shown.

    The caller sees to it that a message is taken in once.

    Raises:
        InvalidInput: there is nothing to answer.
    """
    said = _customers(session, asked.about) if asked.about else []
    versions = in_order(asked.versions, asked.thread)
    questions = [_ask(session, asked, version, said=said) for version in versions]
    _note(
        session,
        asked.thread,
        user=asked.user,
        versions=versions,
        questions=[question.id for question in questions],
        conversations=[question.conversation_id for question in questions],
        about=asked.about,
    )
    return questions


def in_order(versions: Sequence[str], thread: Thread) -> list[str]:
    """The order in which versions are shown in a thread: it tells nothing of which is which."""
    seed = f"{thread.channel}:{thread.ts}:"
    return sorted(versions, key=lambda version: sha256(f"{seed}{version}".encode()).digest())


def pin(session: Session, thread: Thread, *, version: str, user: str) -> None:
    """Let a version answer what will be asked in a thread."""
    _note(session, thread, user=user, versions=[version], questions=[], conversations=[])


def _note(
    session: Session, thread: Thread, *, user: str, versions: Sequence[str], **detail: Any
) -> None:
    subject = thread.subject
    audit.note(session, actor=user, action=_ACTION, subject=subject, versions=versions, **detail)


def _noted(session: Session, thread: Thread) -> list[Audit]:
    """What was asked in a thread, newest first."""
    query = select(Audit).where(Audit.subject == thread.subject, Audit.action == _ACTION)
    return list(session.scalars(query.order_by(Audit.id.desc())))


def going_on(session: Session, thread: Thread) -> list[str]:
    """The versions that a thread speaks with."""
    noted = _noted(session, thread)
    return list(noted[0].detail["versions"]) if noted else []


def _ask(session: Session, asked: Asked, version: str, *, said: Sequence[Turn]) -> Turn:
    conversation = _conversation(session, asked, version)
    conversations.lock(session, [conversation.id])
    before = _copied(conversation, said, words=asked.words)
    words = asked.words or (before.pop().content if before else "")
    if not words:
        raise InvalidInput("The customer has not written anything yet, so there is no answer.")
    position = _free_position(session, conversation.id)
    for offset, turn in enumerate(before):
        turn.position = position + offset
        session.add(turn)
    question = Turn(
        conversation_id=conversation.id,
        position=position + len(before),
        role=Role.CUSTOMER,
        content=words,
        author=asked.user,
        source_key=f"{ASKED}{asked.thread.channel}:{asked.thread.ts}:{asked.ts}:{version}",
    )
    session.add(question)
    session.flush()
    return question


def _conversation(session: Session, asked: Asked, version: str) -> Conversation:
    """The thread's conversation with a version; one of its own for a draft, with the customer."""
    if asked.about is None:
        for noted in _noted(session, asked.thread):
            known = dict(zip(noted.detail["versions"], noted.detail["conversations"], strict=False))
            if version in known and noted.detail.get("about") is None:
                return conversations.get(session, known[version])
    made = Conversation(
        id=new_id("conv"),
        assistant=asked.assistant,
        customer=_customer(session, asked.about) if asked.about else None,
        state=ConversationState.OPEN,
        version=version,
        trial=True,
    )
    session.add(made)
    session.flush()
    return made


def _customer(session: Session, escalation_id: str) -> str | None:
    """Whose words a draft's conversation holds: forgetting a customer finds it by that."""
    escalation = session.get_one(Escalation, escalation_id)
    return conversations.get(session, escalation.conversation_id).customer


def _customers(session: Session, escalation_id: str) -> list[Turn]:
    """What was said in an escalation's conversation."""
    escalation = session.get_one(Escalation, escalation_id)
    said = conversations.history(session, escalation.conversation_id)
    return [turn for turn in said if turn.content]


def _copied(conversation: Conversation, said: Sequence[Turn], *, words: str) -> list[Turn]:
    """The customer's conversation as it was; without words of the agent's, up to their question.

    Nothing here answered it, so it carries no version.
    """
    last = max((i for i, turn in enumerate(said) if turn.role is Role.CUSTOMER), default=-1)
    kept = said if words else said[: last + 1]
    return [
        Turn(
            conversation_id=conversation.id,
            role=turn.role,
            content=turn.content,
            author=turn.author,
            delivered_at=turn.delivered_at or turn.created_at,  # nobody waits for the copy
        )
        for turn in kept
    ]


def _free_position(session: Session, conversation_id: str) -> int:
    """The first place that is taken by nothing, and not kept free for an answer."""
    last = conversations.last_turn(session, conversation_id)
    if last is None:
        return 0
    return last.position + (2 if last.role is Role.CUSTOMER else 1)


def thread_of(question: Turn) -> Thread:
    """The thread in which something was asked."""
    _, channel, ts, _, _ = (question.source_key or "").split(":")
    return Thread(channel, ts)


def siblings(session: Session, question: Turn) -> list[Turn]:
    """What one message asked of all its versions, in the order in which these are shown."""
    ids = _message(session, question).detail["questions"]
    return [conversations.turn(session, one) for one in ids]


def about(session: Session, question: Turn) -> str | None:
    """The escalation whose customer a question drafts a reply to; None where it is no draft."""
    found: str | None = _message(session, question).detail.get("about")
    return found


def _message(session: Session, question: Turn) -> Audit:
    noted = _noted(session, thread_of(question))
    return next(one for one in noted if question.id in one.detail["questions"])


def said_before(session: Session, question: Turn) -> tuple[Message, ...]:
    """What the model gets before a question: earlier ones that were not answered are left out."""
    said = [
        turn
        for turn in conversations.history(session, question.conversation_id)
        if turn.position < question.position
    ]
    answered = {turn.source_key for turn in said}
    return tuple(
        turn.message
        for turn in said
        if not (turn.source_key or "").startswith(ASKED) or f"{ANSWER}{turn.id}" in answered
    )
