"""Importing past conversations with their right answers, whatever file they stand in."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from records.errors import InvalidInput

if TYPE_CHECKING:
    from records.assistant import Assistant
    from records.database import Database
    from records.imports import Imported
    from tuning.sources.reading import Options, Reading
    from tuning.sources.rows import Record

_BATCH = 500
_NEWS_SECONDS = 2.0
_LISTED_BAD = 1000
"""Bad lines that the summary holds: a file may have millions."""

OnBad = Callable[[int, str], None]


@dataclass(slots=True)
class Summary:
    """What came of files."""

    assistant: str
    added: int = 0
    approved: int = 0
    known: int = 0
    synthetic: int = 0
    """Other wordings that an export had made; their originals count."""
    bad: int = 0
    bad_lines: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "assistant": self.assistant,
            "added": self.added,
            "added_approved": self.approved,
            "known_already": self.known,
            "synthetic_left_out": self.synthetic,
            "bad": self.bad,
            "bad_lines": self.bad_lines,
        }


def import_file(
    database: "Database",
    file: Path,
    options: "Options",
    *,
    into: Summary,
    assistant: "Assistant",
    actor: str,
    approved: bool = False,
    licence: str | None = None,
    on_bad: OnBad = lambda _line, _reason: None,
    news: Callable[[str], None] = lambda _: None,
) -> None:
    """Add a file's lessons, a batch to a transaction; memory doesn't grow with the file.

    Raises:
        InvalidInput: the file can't be read, or its columns make no lessons.
        StorageError: the batch at hand was not added; the ones before it were.
    """
    from tuning.sources.reading import read_file

    with read_file(file, options) as reading:
        news(f"{file}: {reading.told}")
        origin = {"file": file.name, **({"licence": licence} if licence else {})}
        import_records(
            database, _with_progress(reading, news), into=into, assistant=assistant, actor=actor,
            approved=approved, origin=origin, on_bad=on_bad,
        )  # fmt: skip


def import_lines(
    database: "Database", lines: Iterable[bytes], *, assistant: "Assistant", actor: str
) -> Summary:
    """Add the lessons of lines of JSONL (`import_file`)."""
    from tuning.sources.reading import from_lines

    summary = Summary(assistant.name)
    import_records(database, from_lines(lines), into=summary, assistant=assistant, actor=actor)
    return summary


def import_records(
    database: "Database",
    records: Iterable["Record"],
    *,
    into: Summary,
    assistant: "Assistant",
    actor: str,
    approved: bool = False,
    origin: dict[str, Any] | None = None,
    on_bad: OnBad = lambda _line, _reason: None,
) -> None:
    """Add lessons to the database and their counts to a summary; Slack is told once of new ones."""
    from records.ids import new_id
    from records.imports import add_all_imported, tell_imported

    run, before = new_id("imp"), into.added - into.approved
    waiting = iter(records)
    while batch := list(islice(waiting, _BATCH)):
        good = _usable(batch, into, assistant, approved=approved, origin=origin or {},
                       on_bad=on_bad)  # fmt: skip
        if not good:
            continue
        with database.write() as session:
            added = add_all_imported(session, good, assistant=assistant.name, actor=actor)
        into.added += sum(added)
        into.known += len(good) - sum(added)
        into.approved += sum(
            one.approved for one, is_new in zip(good, added, strict=True) if is_new
        )
    if proposed := into.added - into.approved - before:
        with database.write() as session:
            tell_imported(session, assistant.name, run=run, number=proposed)


def _usable(
    batch: Sequence["Record"],
    into: Summary,
    assistant: "Assistant",
    *,
    approved: bool,
    origin: dict[str, Any],
    on_bad: OnBad,
) -> list["Imported"]:
    """The lessons of a batch of records; the others are counted and reported."""
    good = []
    for record in batch:
        try:
            lesson = to_lesson(record, assistant, approved=approved, origin=origin)
        except InvalidInput as error:
            into.bad += 1
            if len(into.bad_lines) < _LISTED_BAD:
                where = {"file": origin.get("file"), "line": record.line}
                into.bad_lines.append({**where, "reason": str(error)})
            on_bad(record.line, str(error))
            continue
        into.synthetic += lesson is None
        if lesson is not None:
            good.append(lesson)
    return good


def to_lesson(
    record: "Record", assistant: "Assistant", *, approved: bool, origin: dict[str, Any]
) -> "Imported | None":
    """The lesson of a record; None where an export made it of another.

    Raises:
        InvalidInput: why there is none.
    """
    from tuning.sources.imported_line import parse_content

    if record.content is None:
        raise InvalidInput(record.problem or "it can't be read")
    where = {**origin, "line": record.line}
    if record.conversation is not None:
        where["conversation"] = record.conversation
    content = {**record.content, "approved": True} if approved else record.content
    return parse_content(
        content, assistant=assistant.name, marker=assistant.handoff_marker, origin=where
    )


def _with_progress(reading: "Reading", news: Callable[[str], None]) -> Iterator["Record"]:
    """The records of a file; while a long one is read, the rate and time left now and then."""
    began = told = time.monotonic()
    for number, record in enumerate(reading.records, start=1):
        yield record
        now = time.monotonic()
        if now - told >= _NEWS_SECONDS:
            told = now
            share = min(1.0, max(1e-9, reading.share()))
            left = (now - began) * (1 / share - 1)
            rate = number / (now - began)
            news(f"{number:,} lessons, {share:.0%}, {rate:,.0f} a second, {left:.0f} s left")
