"""Rows of a file as the objects that JSONL would hold: one for a row, or for a conversation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from records.errors import InvalidInput
from tuning.sources.columns import ColumnMap, Target
from tuning.sources.conversations import Said, Speaker, Spool, parse_time, to_chat

_YES = frozenset({"true", "yes", "y", "1", "x", "approved", "ja", "oui", "si", "sí"})
_NO = frozenset({"false", "no", "n", "0", "", "proposed", "rejected", "nein", "non"})


@dataclass(frozen=True, slots=True)
class Record:
    """What one lesson is made of, or why nothing is; `line` counts from 1 (rows, in Parquet)."""

    line: int
    content: Mapping[str, Any] | None = None
    problem: str | None = None
    conversation: str | None = None


def lessons_of_rows(
    rows: Iterator[Record], columns: ColumnMap, speakers: Mapping[str, Speaker]
) -> Iterator[Record]:
    """What the rows teach, a row or a conversation in memory at a time."""
    if columns.groups_rows:
        yield from _grouped(rows, columns, speakers)
        return
    for row in rows:
        if row.content is None:
            yield row
        else:
            yield _from_row(row.line, row.content, columns)


def _from_row(line: int, row: Mapping[str, Any], columns: ColumnMap) -> Record:
    try:
        content = _about(row, columns)
        if Target.MESSAGES in columns:
            content["messages"] = _listed(columns.take(row, Target.MESSAGES), "messages")
        else:
            content["prompt"] = _said(columns.take(row, Target.QUESTION), "question")
            content["completion"] = _said(columns.take(row, Target.ANSWER), "answer", empty=True)
        conversation = columns.take(row, Target.CONVERSATION)
    except InvalidInput as error:
        return Record(line, problem=str(error))
    return Record(line, content, conversation=None if conversation is None else str(conversation))


def _grouped(
    rows: Iterator[Record], columns: ColumnMap, speakers: Mapping[str, Speaker]
) -> Iterator[Record]:
    """One record a conversation; rows that can't be read at all are reported by themselves."""
    by_name = Target.AUTHOR in columns
    with Spool() as spool:
        for row in rows:
            name = None if row.content is None else columns.take(row.content, Target.CONVERSATION)
            if row.content is None:
                yield row
            elif name in (None, ""):
                yield Record(row.line, problem="conversation: it is empty")
            else:
                spool.put(str(name), _row_said(row.line, row.content, columns))
        for conversation, said in spool.conversations():
            about: dict[str, Any] = {}
            for one in said:
                about = {**(one.about or {}), **about}
            line = min(one.line for one in said)
            try:
                chat = to_chat(said, speakers=speakers, by_name=by_name)
            except InvalidInput as error:
                yield Record(line, problem=f"conversation {conversation}: {error}")
            else:
                yield Record(line, {**about, "messages": chat}, conversation=conversation)


def _row_said(line: int, row: Mapping[str, Any], columns: ColumnMap) -> Said:
    author = columns.take(row, Target.AUTHOR if Target.AUTHOR in columns else Target.ROLE)
    text = columns.take(row, Target.TEXT)
    try:
        about = _about(row, columns)
        time = parse_time(columns.take(row, Target.TIME))
    except InvalidInput as error:
        return Said(line, str(author), "", problem=str(error))
    said = "" if text is None else str(text)
    customer = about.get("customer")
    return Said(line, "" if author is None else str(author), said, time, customer, about)


def _about(row: Mapping[str, Any], columns: ColumnMap) -> dict[str, Any]:
    """What a row says beside its words, without what it leaves empty."""
    found: dict[str, Any] = {}
    for target in (Target.CUSTOMER, Target.LICENCE, Target.SYNTHETIC_OF):
        if (value := columns.take(row, target)) not in (None, ""):
            found[target] = str(value).strip()
    if Target.REJECTED in columns and (wrong := columns.take(row, Target.REJECTED)):
        found["rejected"] = _said(wrong, "rejected")
    for target in (Target.APPROVED, Target.SHOULD_ESCALATE):
        if target in columns:
            found[target] = _truth(columns.take(row, target), str(target))
    whole = columns.take(row, Target.SLICE)
    parts = {**(_object(whole) if whole else {}), **columns.slices(row)}
    if parts:
        found["slice"] = {key: _plain(value) for key, value in parts.items()}
    return found


def _truth(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    word = "" if value is None else str(value).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidInput(f"{name}: {value!r} is neither yes nor no")


def _said(value: Any, name: str, *, empty: bool = False) -> Any:
    """A text, or the messages that a cell holds as a list or in JSON."""
    if isinstance(value, list):
        return value
    text = "" if value is None else str(value).strip()
    if not text and not empty:
        raise InvalidInput(f"{name}: it is empty")
    if "\0" in text:
        raise InvalidInput("it holds a NUL character, which no database keeps")
    return text


def _listed(value: Any, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{name}: not JSON: {error.msg} at column {error.colno}") from error


def _object(value: Any) -> dict[str, Any]:
    found = _listed(value, "slice")
    if not isinstance(found, dict):
        raise InvalidInput("slice: it is no object")
    return found


def _plain(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
