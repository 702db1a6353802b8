"""Whether an agent's words have reached their customer: noted once, and told to the agent.

A reader has words when their bytes were handed to it, or when it says by its cursor that it had
them. What the customer's side does with them after that, nobody here can know.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, func, literal, select, update
from sqlalchemy.orm import Session

from records import audit, conversations, events, outbox
from records.errors import Conflict
from records.messages import Role
from records.outbox import Kind
from records.states import EventKind
from records.tables import Audit, Conversation, OutboxMessage, Turn

_SENT_AGAIN = "send_again"
_WAITS = (Turn.role == Role.AGENT, Turn.delivered_at.is_(None), Turn.removed_at.is_(None))


def first_waiting(session: Session, conversation_id: str) -> int | None:
    """The position of the first words of an agent that no reader of the customer's had yet."""
    return session.scalar(
        select(func.min(Turn.position)).where(Turn.conversation_id == conversation_id, *_WAITS)
    )


def note(session: Session, seen: Mapping[str, int], *, at: datetime) -> list[str]:
    """Note that customers had all turns of conversations up to a position each.

    Returns the ids of agents' turns of which that was not known. However often and by whomever it
    is noted, a turn is told of once.
    """
    found = [
        row
        for conversation_id, position in sorted(seen.items())
        for row in session.execute(
            update(Turn)
            .where(Turn.conversation_id == conversation_id, Turn.position <= position, *_WAITS)
            .values(delivered_at=at)
            .returning(Turn.id, Turn.source_key)
            .execution_options(synchronize_session=False)
        )
    ]
    for turn_id, source_key in found:
        if conversations.written_in_slack(source_key):
            _tell(session, turn_id)
    return [turn_id for turn_id, _ in found]


def _tell(session: Session, turn_id: str) -> None:
    outbox.put(session, Kind.REPLY_RELAYED, turn_id)
    said_unread = OutboxMessage.kind == Kind.REPLY_UNREAD
    if session.scalar(select(exists().where(said_unread, OutboxMessage.subject == turn_id))):
        outbox.put(session, Kind.REPLY_UNREAD_CHANGED, turn_id, revision="delivered")


def unread(
    session: Session, assistant: str, *, after: datetime, before: datetime
) -> Sequence[Turn]:
    """Replies written in Slack at that time which no customer had, and of which that is not said.

    They are locked, so that none is delivered unseen while it is said.
    """
    key = literal(f"{Kind.REPLY_UNREAD}:") + Turn.id + ":"
    return session.scalars(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Conversation.assistant == assistant,
            Turn.source_key.startswith("slack:"),
            Turn.created_at.between(after, before),
            ~exists().where(OutboxMessage.key == key),
            *_WAITS,
        )
        .order_by(Turn.created_at)
        .with_for_update(of=Turn)
    ).all()


def send_again(session: Session, turn_id: str, *, actor: str, since: datetime) -> None:
    """Show words once more to all who follow the conversation, and begin to wait anew.

    Raises:
        NotFound: no such turn.
        Conflict: the customer has them, they were taken back, or somebody sent them again `since`.
    """
    conversation_id = conversations.turn(session, turn_id).conversation_id
    conversations.lock(session, [conversation_id])
    turn = session.get_one(Turn, turn_id, with_for_update=True, populate_existing=True)
    if turn.delivered_at is not None:
        raise Conflict("This has reached the customer already.")
    if turn.removed_at is not None:
        raise Conflict("This was taken back, so it is not sent again.")
    earlier = sent_again(session, turn_id)
    if earlier and earlier[-1].created_at > since:
        raise Conflict(f"<@{earlier[-1].actor}> has just sent this again.")
    events.note(session, conversation_id, EventKind.REPEATED, turn=turn_id)
    audit.note(session, actor=actor, action=_SENT_AGAIN, subject=turn_id)
    revision = f"again:{len(earlier) + 1}"
    outbox.put(session, Kind.REPLY_UNREAD_CHANGED, turn_id, revision=revision)


def sent_again(session: Session, turn_id: str) -> Sequence[Audit]:
    """Who sent a turn again and when, oldest first."""
    return session.scalars(
        select(Audit)
        .where(Audit.subject == turn_id, Audit.action == _SENT_AGAIN)
        .order_by(Audit.id)
    ).all()


def still_unread(
    session: Session, assistant: str, *, after: datetime, before: datetime
) -> Sequence[tuple[Turn, int]]:
    """Replies that were sent again at that time in vain, and how often."""
    turns = session.scalars(
        select(Turn)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(
            Conversation.assistant == assistant,
            Turn.created_at > after,
            exists().where(Audit.subject == Turn.id, Audit.action == _SENT_AGAIN),
            *_WAITS,
        )
        .with_for_update(of=Turn)
    ).all()
    tried = [(turn, sent_again(session, turn.id)) for turn in turns]
    return [(turn, len(tries)) for turn, tries in tried if tries[-1].created_at <= before]


def note_still_unread(session: Session, turn_id: str, *, tries: int) -> None:
    """Say that sending again was in vain so far; it may be tried once more."""
    outbox.put(session, Kind.REPLY_UNREAD_CHANGED, turn_id, revision=f"still:{tries}")


def said_still_unread(session: Session, turn_id: str, *, tries: int) -> bool:
    """Whether that was said of the last of so many tries."""
    key = f"{Kind.REPLY_UNREAD_CHANGED}:{turn_id}:still:{tries}"
    return session.scalar(select(exists().where(OutboxMessage.key == key))) is True
