"""A reader's page of a conversation: nothing lost or doubled, wherever it is cut."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import InvalidInput
from records.events import Cursor, Item, Said
from records.states import ConversationState, EventKind
from serving.conversation_events import (
    CHANGES,
    TYPING_SECONDS,
    greeting,
    page,
    read_cursor,
    written,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def said(position: int, text: str = "Hello", **changes: Any) -> Said:
    turn = Said(f"turn_{position}", position, "customer", text, "complete", None, NOW)
    return turn._replace(**changes)


def turn(position: int, text: str = "Hello", **changes: Any) -> Item:
    return Item("conv_1", position, 0, "", "", None, said(position, text, **changes))


def event(
    seq: int, position: int, kind: str = "taken", *, age: float = 0, about: Said | None = None
) -> Item:
    at = NOW - timedelta(seconds=age)
    detail = '{"escalation": "esc_1", "agent": "U1"}'
    return Item("conv_1", position, seq, kind, detail, at, about)


def conversation(kinds: list[str | None]) -> list[Item]:
    """A turn for each None, an event for each kind, in order."""
    items: list[Item] = []
    position, seq = -1, 0
    for kind in kinds:
        if kind is None:
            position += 1
            items.append(turn(position))
        else:
            seq += 1
            items.append(event(seq, position, kind))
    return items


def parsed(data: bytes) -> list[tuple[str, str, Any]]:
    found = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            found.append((fields["event"], fields["id"], orjson.loads(fields["data"])))
    return found


KINDS = st.lists(st.sampled_from([None, None, *map(str, CHANGES), "typing"]), max_size=30)


@given(kinds=KINDS, most_bytes=st.integers(1, 2000))
def test_cut_anywhere_a_reader_gets_each_item_once_and_in_order(
    kinds: list[str | None], most_bytes: int
) -> None:
    items = conversation(kinds)
    whole = parsed(page(Cursor(), items, now=NOW, most_bytes=10**9).data)
    assert [name for name, _, _ in whole] == [
        "turn" if kind is None else "typing" if kind == "typing" else "state" for kind in kinds
    ]
    for index, (_, cursor, _) in enumerate(whole):
        rest = page(read_cursor(cursor), items, now=NOW, most_bytes=10**9)
        assert parsed(rest.data) == whole[index + 1 :]
    seen, parts = Cursor(), []
    while True:
        part = page(seen, items, now=NOW, most_bytes=most_bytes)
        parts += parsed(part.data)
        seen = part.cursor
        if part.whole:
            break
        assert part.data, "a page that isn't whole brings something"
    assert parts == whole


def test_typing_that_is_over_is_not_told_but_passed() -> None:
    items = [event(1, -1, "typing", age=TYPING_SECONDS + 1), event(2, -1, "typing", age=1)]
    made = page(Cursor(), items, now=NOW, most_bytes=1000)
    assert [(name, cursor) for name, cursor, _ in parsed(made.data)] == [("typing", "-1.2")]
    old = page(Cursor(), items[:1], now=NOW, most_bytes=1000)
    assert old == (b"", Cursor(-1, 1), True, False)


def test_typing_counts_as_fresh_where_the_clock_was_set_back() -> None:
    made = page(Cursor(), [event(1, -1, "typing", age=-3600)], now=NOW, most_bytes=1000)
    assert parsed(made.data)


def test_every_change_has_words_and_a_state_and_no_agents_name() -> None:
    for kind in CHANGES:
        data = page(Cursor(), [event(1, -1, kind)], now=NOW, most_bytes=1000).data
        assert b"U1" not in data
        ((name, _, body),) = parsed(data)
        if name == "state":
            assert body["message"]
            assert ConversationState(body["state"])
            assert body["escalation_id"] == "esc_1"


def test_every_kind_of_event_is_told_to_who_has_the_turn_that_it_is_about() -> None:
    mine = said(0, role="agent", edited_at=NOW)
    gone = said(0, "", role="agent", removed_at=NOW)
    names = {}
    for kind in EventKind:
        about = gone if kind is EventKind.REMOVED else mine
        made = page(Cursor(0, 0), [event(1, 0, kind, about=about)], now=NOW, most_bytes=1000)
        ((names[kind], _, body),) = parsed(made.data)
        assert b"U1" not in made.data
        assert body
    assert names == {
        **dict.fromkeys(CHANGES, "state"),
        EventKind.TYPING: "typing",
        EventKind.EDITED: "edited",
        EventKind.REMOVED: "removed",
        EventKind.REPEATED: "turn",
    }


def test_a_fresh_reader_gets_a_turn_as_it_is_now_and_none_of_its_changes() -> None:
    mine = said(1, "Monday", role="agent", edited_at=NOW)
    items = [turn(0), turn(1, "Monday", role="agent", edited_at=NOW), event(1, 1, about=None)]
    items += [event(2, 1, "edited", about=mine), event(3, 1, "repeated", about=mine)]
    made = page(Cursor(), items, now=NOW, most_bytes=10**6)
    assert [name for name, _, _ in parsed(made.data)] == ["turn", "turn", "state"]
    assert parsed(made.data)[1][2]["content"] == "Monday"
    assert (made.cursor, made.by_agent) == (Cursor(1, 3), True)
    again = page(Cursor(1, 1), items, now=NOW, most_bytes=10**6)
    assert [name for name, _, _ in parsed(again.data)] == ["edited", "turn"]


def test_what_was_taken_back_is_told_only_to_who_had_it() -> None:
    gone = said(1, "", role="agent", edited_at=NOW, removed_at=NOW)
    items = [turn(0), turn(1, "", role="agent", removed_at=NOW)]
    items += [event(1, 1, "edited", about=gone), event(2, 1, "removed", about=gone)]
    fresh = page(Cursor(), items, now=NOW, most_bytes=10**6)
    assert [name for name, _, _ in parsed(fresh.data)] == ["turn"]
    assert (fresh.cursor, fresh.by_agent) == (Cursor(1, 2), False)
    ((name, cursor, body),) = parsed(page(Cursor(1, 0), items, now=NOW, most_bytes=10**6).data)
    assert (name, cursor, body["id"]) == ("removed", "1.2", "turn_1")
    assert "content" not in body


def test_text_with_line_breaks_stays_one_event() -> None:
    text = "a\nb\r\n\ndata: c\u2028\x85d"
    ((_, _, body),) = parsed(page(Cursor(), [turn(0, text)], now=NOW, most_bytes=1000).data)
    assert body["content"] == text


def test_the_greeting_brings_a_cursor_to_come_back_with() -> None:
    data = greeting("conv_1", ConversationState.OPEN, Cursor(3, 1))
    assert data.startswith(b"retry: ")
    ((name, cursor, body),) = parsed(data)
    assert (name, cursor) == ("connected", "3.1")
    assert body == {"conversation_id": "conv_1", "state": "open"}


@given(position=st.integers(-1, 10**9 - 1), seq=st.integers(0, 10**9 - 1))
def test_a_cursor_is_read_as_it_was_written(position: int, seq: int) -> None:
    assert read_cursor(written(Cursor(position, seq))) == Cursor(position, seq)


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "a.b", "-2.0", "0.-1", "١.٢", " 1.2", "1.2\n", "9" * 20]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="Last-Event-ID"):
        read_cursor(text)
