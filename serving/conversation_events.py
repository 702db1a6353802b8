"""A conversation's stream of events: cursors, words for customers, bytes. Pure.

`connected` comes first, then `turn`, `state` and `typing`. Each carries a cursor as its id: what a
client has seen, as `<position of the last turn>.<number of the last event>`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from records.errors import InvalidInput
from records.events import Cursor, Item
from records.states import ConversationState, EventKind
from serving.sent_events import event, retry

RECONNECT_MILLISECONDS = 1000
TYPING_SECONDS = 8
"""How long it counts that somebody is typing; what is older is not told."""

_CURSOR = re.compile(r"(-1|[0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


class _Change(NamedTuple):
    """What an event makes of a conversation, and the sentence for its customer."""

    state: ConversationState
    sentence: str


CHANGES: Mapping[EventKind, _Change] = {
    EventKind.ESCALATED: _Change(
        ConversationState.ESCALATED, "A colleague has been asked to help you here."
    ),
    EventKind.TAKEN: _Change(
        ConversationState.WITH_AGENT, "A colleague has taken over and will reply to you here."
    ),
    EventKind.RESOLVED: _Change(
        ConversationState.RESOLVED, "The colleague is done. Write here if you need anything else."
    ),
    EventKind.HANDED_BACK: _Change(
        ConversationState.OPEN, "The colleague has handed you back to the assistant."
    ),
}


def read_cursor(text: str, *, field: str = "Last-Event-ID") -> Cursor:
    """The cursor that a client sends as `field`.

    Raises:
        InvalidInput: it is none of ours.
    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{field} must be the id of an event of this stream, such as 4.2.", field=field
        )
    return Cursor(int(found[1]), int(found[2]))


def written(cursor: Cursor) -> str:
    """A cursor as clients get it."""
    return f"{cursor.position}.{cursor.seq}"


def greeting(conversation_id: str, state: ConversationState, cursor: Cursor) -> bytes:
    """The first event: who speaks now, and the cursor to come back with if nothing follows."""
    body = {"conversation_id": conversation_id, "state": state}
    return retry(RECONNECT_MILLISECONDS) + event("connected", body, cursor=written(cursor))


class Page(NamedTuple):
    """A part of what is new to a reader, and how far it is with it."""

    data: bytes
    cursor: Cursor
    whole: bool
    """Whether it is all that was given."""


def page(seen: Cursor, items: Iterable[Item], *, now: datetime, most_bytes: int) -> Page:
    """What a reader has not seen of some items, about `most_bytes` of it, at least one item."""
    parts: list[bytes] = []
    size = 0
    for item in items:
        if not item.is_new_to(seen):
            continue
        if size >= most_bytes:
            return Page(b"".join(parts), seen, whole=False)
        seen = item.after(seen)
        if not _is_past(item, now):
            parts.append(_written(item, seen))
            size += len(parts[-1])
    return Page(b"".join(parts), seen, whole=True)


def _is_past(item: Item, now: datetime) -> bool:
    """Whether it tells of typing that is over."""
    is_typing = item.seq and item.word == EventKind.TYPING
    return bool(is_typing) and now - item.created_at > timedelta(seconds=TYPING_SECONDS)


def _written(item: Item, cursor: Cursor) -> bytes:
    if not item.seq:
        return event("turn", turn_view(item), cursor=written(cursor))
    if item.word == EventKind.TYPING:
        return event("typing", {"for_seconds": TYPING_SECONDS}, cursor=written(cursor))
    return event("state", _state_view(item), cursor=written(cursor))


def turn_view(item: Item) -> dict[str, Any]:
    """A turn as customers' clients get it: without the agent's name."""
    return {
        "conversation_id": item.conversation_id,
        "id": item.turn_id,
        "position": item.position,
        "role": item.word,
        "content": item.text,
        "status": item.status,
        "version": item.version,
        "created_at": item.created_at,
    }


def _state_view(item: Item) -> dict[str, Any]:
    kind = EventKind(item.word)
    change = CHANGES[kind]
    return {
        "conversation_id": item.conversation_id,
        "kind": kind,
        "state": change.state,
        "message": change.sentence,
        "escalation_id": orjson.loads(item.text).get("escalation"),
        "created_at": item.created_at,
    }
