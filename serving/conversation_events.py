"""A conversation's stream of events: cursors, words for customers, bytes. Pure.

`connected` comes first, then `turn`, `edited`, `removed`, `state` and `typing`. Each carries a
cursor as its id: what a client has seen, as `<position of the last turn>.<number of the last
event>`. A turn is always told as it is now; what was taken back is not told to who never had it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from records.errors import InvalidInput
from records.events import Cursor, Item
from records.messages import Role
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
    by_agent: bool = False
    """Whether an agent's words are in it."""


def page(seen: Cursor, items: Iterable[Item], *, now: datetime, most_bytes: int) -> Page:
    """What a reader has not seen of some items, about `most_bytes` of it, at least one item."""
    parts: list[bytes] = []
    size, by_agent, begun = 0, False, seen
    for item in items:
        if not item.is_new_to(seen):
            continue
        if size >= most_bytes:
            return Page(b"".join(parts), seen, whole=False, by_agent=by_agent)
        seen = item.after(seen)
        if not _is_past(item, begun, now=now):
            parts.append(_written(item, seen))
            size += len(parts[-1])
            by_agent = by_agent or (item.said is not None and item.said.role == Role.AGENT)
    return Page(b"".join(parts), seen, whole=True, by_agent=by_agent)


def _is_past(item: Item, begun: Cursor, *, now: datetime) -> bool:
    """Whether there is nothing to tell of it any more to a reader whose page began there.

    So it is with typing that is over, with words that were taken back before they were told, and
    with changes of words that are told in this very page as they are now.
    """
    if item.kind == EventKind.TYPING:
        assert item.noted_at is not None
        return now - item.noted_at > timedelta(seconds=TYPING_SECONDS)
    if item.said is None:
        return False
    if not item.seq:
        return item.said.removed_at is not None
    if item.said.position > begun.position:
        return True
    return item.said.removed_at is not None and item.kind != EventKind.REMOVED


def _written(item: Item, cursor: Cursor) -> bytes:
    name, view = _told(item)
    return event(name, view, cursor=written(cursor))


def _told(item: Item) -> tuple[str, dict[str, Any]]:
    """The name of an event and what it carries."""
    match item.kind:
        case EventKind.TYPING:
            return "typing", {"for_seconds": TYPING_SECONDS}
        case EventKind.REMOVED:
            return "removed", _removed_view(item)
        case EventKind.EDITED:
            return "edited", turn_view(item)
        case "" | EventKind.REPEATED:
            return "turn", turn_view(item)
        case _:
            return "state", _state_view(item)


def turn_view(item: Item) -> dict[str, Any]:
    """A turn as customers' clients get it: without the agent's name."""
    said = item.said
    assert said is not None
    view = {
        "conversation_id": item.conversation_id,
        "id": said.id,
        "position": said.position,
        "role": said.role,
        "content": said.content,
        "status": said.status,
        "version": said.version,
        "created_at": said.created_at,
    }
    if said.edited_at is not None:
        view["edited_at"] = said.edited_at
    return view


def _removed_view(item: Item) -> dict[str, Any]:
    said = item.said
    assert said is not None
    return {
        "conversation_id": item.conversation_id,
        "id": said.id,
        "position": said.position,
        "removed_at": said.removed_at,
    }


def _state_view(item: Item) -> dict[str, Any]:
    kind = EventKind(item.kind)
    change = CHANGES[kind]
    return {
        "conversation_id": item.conversation_id,
        "kind": kind,
        "state": change.state,
        "message": change.sentence,
        "escalation_id": orjson.loads(item.detail).get("escalation"),
        "created_at": item.noted_at,
    }
