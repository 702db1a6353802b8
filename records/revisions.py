"""What an agent does to words that are recorded: edit them, take them back.

Changes carry the time at which they were made. The latest one counts, in whatever order they come;
what was taken back stays so.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from records import audit, conversations, events, outbox, replies
from records.outbox import Kind
from records.states import EventKind
from records.tables import Turn


def slack_source(channel: str, ts: str) -> str:
    """The `source_key` of what was written in Slack."""
    return f"slack:{channel}:{ts}"


def slack_message(turn: Turn) -> tuple[str, str] | None:
    """Channel and `ts` of a turn that was written in Slack."""
    origin, _, place = (turn.source_key or "").partition(":")
    channel, _, ts = place.partition(":")
    return (channel, ts) if origin == "slack" and ts else None


def edit(session: Session, turn_id: str, *, content: str, at: datetime, actor: str) -> bool:
    """Put other words in the place of an agent's; False where nothing follows from it.

    Raises:
        NotFound: no such turn.
    """
    turn = _locked(session, turn_id)
    if turn.removed_at is not None or (turn.edited_at is not None and at <= turn.edited_at):
        return False
    turn.edited_at = at  # noted in any case: older edits that come later must not count
    if content == turn.content:
        return False
    before, turn.content = turn.content, content
    turn.original = before if turn.original is None else turn.original
    replies.follow(session, turn, before=before)
    _tell(session, turn, EventKind.EDITED, at=at, actor=actor, action="edit_reply")
    return True


def remove(session: Session, turn_id: str, *, at: datetime, actor: str) -> bool:
    """Take an agent's words back; False where they were taken back before.

    Raises:
        NotFound: no such turn.
    """
    turn = _locked(session, turn_id)
    if turn.removed_at is not None:
        return False
    before, turn.content, turn.removed_at = turn.content, "", at
    turn.original = before if turn.original is None else turn.original
    replies.follow(session, turn, before=before)
    _tell(session, turn, EventKind.REMOVED, at=at, actor=actor, action="remove_reply")
    return True


def _locked(session: Session, turn_id: str) -> Turn:
    """A turn as it is now, after its conversation is locked, as everywhere."""
    conversations.lock(session, [conversations.turn(session, turn_id).conversation_id])
    return session.get_one(Turn, turn_id, with_for_update=True, populate_existing=True)


def _tell(
    session: Session, turn: Turn, kind: EventKind, *, at: datetime, actor: str, action: str
) -> None:
    """Tell of a change: to the customer, to Slack, in the audit."""
    events.note(session, turn.conversation_id, kind, turn=turn.id)
    audit.note(session, actor=actor, action=action, subject=turn.id)
    outbox.put(session, Kind.TURN_CHANGED, turn.id, revision=f"{kind}:{at.timestamp():.6f}")
    if kind is EventKind.REMOVED:
        if slack_message(turn):
            outbox.put(session, Kind.REPLY_TAKEN_BACK, turn.id)
        outbox.put(session, Kind.REPLY_UNREAD_CHANGED, turn.id, revision=kind)
