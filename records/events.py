"""What happens in a conversation beside its turns, such as who speaks now, and reading both.

Turns are numbered by `position` and events by `seq` within their conversation, each as one more
than the highest that its writer sees; who comes too late counts anew. A number therefore shows
only when all lower ones do, and two numbers say how far a reader is, whatever clocks say and in
whatever order transactions end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import TextClause, column, func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TextualSelect

from records import conversations
from records.ids import utc_now
from records.states import EventKind
from records.tables import ConversationEvent, Turn, UtcDateTime


class Cursor(NamedTuple):
    """How far a reader of a conversation is: its last turn's position, its last event's number."""

    position: int = -1
    seq: int = 0


class Said(NamedTuple):
    """A turn as it is now, whatever it was when its readers first had it."""

    id: str
    position: int
    role: str
    content: str
    status: str
    version: str | None
    created_at: datetime
    edited_at: datetime | None = None
    removed_at: datetime | None = None
    """When it was taken back; `content` is empty then."""


class Item(NamedTuple):
    """A turn or an event as readers of a conversation get it, in the order in which it came."""

    conversation_id: str
    position: int
    """A turn's own; for an event, that of the last turn before it."""
    seq: int
    """An event's number; 0 for a turn."""
    kind: str
    """An event's; empty for a turn."""
    detail: str
    """An event's, as JSON; empty for a turn."""
    noted_at: datetime | None
    """When an event was noted; None for a turn."""
    said: Said | None
    """The turn, or the one that an event is about."""

    def after(self, seen: Cursor) -> Cursor:
        """How far a reader is who had seen `seen` and now this."""
        if self.seq:
            return Cursor(seen.position, max(seen.seq, self.seq))
        return Cursor(max(seen.position, self.position), seen.seq)

    def is_new_to(self, seen: Cursor) -> bool:
        """Whether a reader has not seen it."""
        return self.seq > seen.seq if self.seq else self.position > seen.position


def note(
    session: Session,
    conversation_id: str,
    kind: EventKind,
    *,
    at: datetime | None = None,
    **detail: Any,
) -> ConversationEvent:
    """Add an event, in the caller's transaction.

    It locks the conversation's row first, so that of two writers the second waits and numbers its
    event after the first one's.
    """
    conversations.lock(session, [conversation_id])
    seen = end(session, conversation_id)
    event = ConversationEvent(
        conversation_id=conversation_id,
        seq=seen.seq + 1,
        position=seen.position,
        kind=kind,
        detail=detail,
        created_at=at or utc_now(),
    )
    session.add(event)
    session.flush()
    return event


def last(session: Session, conversation_id: str) -> ConversationEvent | None:
    """The newest event of a conversation."""
    return session.scalar(
        select(ConversationEvent)
        .where(ConversationEvent.conversation_id == conversation_id)
        .order_by(ConversationEvent.seq.desc())
        .limit(1)
    )


def end(session: Session, conversation_id: str) -> Cursor:
    """How far a reader is who has seen all of a conversation."""
    of_turns, of_events = Turn.conversation_id, ConversationEvent.conversation_id
    position = session.scalar(select(func.max(Turn.position)).where(of_turns == conversation_id))
    seq = session.scalar(
        select(func.max(ConversationEvent.seq)).where(of_events == conversation_id)
    )
    return Cursor(-1 if position is None else position, seq or 0)


def since(session: Session, seen: Mapping[str, Cursor], *, most: int) -> Sequence[Item]:
    """What came to conversations since their readers' cursors, at most so many items.

    Items of one conversation follow each other in their order. A conversation to which nothing
    came costs a look into two indexes.
    """
    statement = _SINCE["sqlite" if session.get_bind().dialect.name == "sqlite" else "postgresql"]
    wanted = {
        "positions": orjson.dumps({name: at.position for name, at in seen.items()}).decode(),
        "seqs": orjson.dumps({name: at.seq for name, at in seen.items()}).decode(),
        "most": most,
    }
    return [_item(row) for row in session.execute(statement, wanted)]


def _item(row: Sequence[Any]) -> Item:
    own, turn = row[:_OF_ITEM], row[_OF_ITEM:]
    return Item._make((*own, None if turn[0] is None else Said(*turn)))


_OF_ITEM = len(Item._fields) - 1


def _since(pairs: str, number: str) -> TextualSelect:
    """One statement whatever the number of conversations: they come as one JSON object.

    SQLite keeps the order of a CROSS JOIN: one look into the index per conversation.
    """
    statement: TextClause = text(
        f"""
        SELECT t.conversation_id, t.position, 0 AS seq, '' AS kind, '' AS detail,
               NULL AS noted_at, {_TURN}
        FROM {pairs.format("positions")} AS w CROSS JOIN turns AS t
        WHERE t.conversation_id = w.key AND t.position > {number}
        UNION ALL
        SELECT e.conversation_id, e.position, e.seq, e.kind, CAST(e.detail AS text),
               e.created_at, {_TURN}
        FROM {pairs.format("seqs")} AS w CROSS JOIN conversation_events AS e
        LEFT JOIN turns AS t ON t.id = e.detail ->> 'turn'
        WHERE e.conversation_id = w.key AND e.seq > {number}
        ORDER BY 1, 2, 3 LIMIT :most
        """  # noqa: S608 - words of ours only
    )
    names = [*Item._fields[:_OF_ITEM], *(f"said_{name}" for name in Said._fields)]
    moment = UtcDateTime()
    return statement.columns(*(column(n, moment if n.endswith("_at") else None) for n in names))


_TURN = ", ".join(f"t.{name} AS said_{name}" for name in Said._fields)


_SINCE = {
    "sqlite": _since("json_each(:{})", "w.value"),
    "postgresql": _since("json_each_text(CAST(:{} AS json))", "CAST(w.value AS integer)"),
}
