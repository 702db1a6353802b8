"""`understudy import`: past conversations with their right answers, from a JSONL file."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show
from records.errors import InvalidInput

if TYPE_CHECKING:
    from records.assistant import Assistant
    from records.database import Database

_BATCH_LINES = 500
_NEWS_SECONDS = 2.0


@dataclass(slots=True)
class Summary:
    """What came of a file."""

    assistant: str
    added: int = 0
    approved: int = 0
    known: int = 0
    bad: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "assistant": self.assistant,
            "added": self.added,
            "added_approved": self.approved,
            "known_already": self.known,
            "bad_lines": self.bad,
        }


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--assistant", help="Name of the assistant; needed where there are several.")
@json_option
@click.pass_context
def import_(context: click.Context, file: Path, assistant: str | None, *, as_json: bool) -> None:
    """Add examples from FILE, one JSON object a line.

    {"messages": [...], "customer": "c-1", "approved": true, "should_escalate": false,
    "slice": {...}}: messages in OpenAI's form, the last of them the assistant's right answer.
    Only approved examples train. Repeating an import adds nothing. Bad lines are reported and
    leave the good ones alone.
    """
    from records.assistant import pick_assistant, read_assistants
    from records.database import Database
    from tuning.settings import WorkerSettings

    settings = WorkerSettings.load()
    chosen = pick_assistant(read_assistants(settings.assistants), assistant)
    database = Database(settings.database)
    database.migrate()
    with file.open("rb") as stream:
        summary = import_lines(
            database,
            _with_progress(stream, size=file.stat().st_size),
            assistant=chosen,
            actor=actor(),
            on_bad=lambda n, why: click.secho(f"{file}:{n}: {why}", fg="yellow", err=True),
        )
    show(summary.as_json(), as_json=as_json, text=_text)
    if summary.bad:
        context.exit(1)


def import_lines(
    database: "Database",
    lines: Iterable[bytes],
    *,
    assistant: "Assistant",
    actor: str,
    on_bad: Callable[[int, str], None] = lambda _number, _reason: None,
) -> Summary:
    """Add lessons, a batch of lines to a transaction; blank lines are skipped.

    Raises:
        StorageError: the batch at hand was not added; the ones before it were.
    """
    from records.ids import new_id
    from records.imports import add_imported, tell_imported
    from tuning.sources.imported_line import parse_line

    summary, run = Summary(assistant.name), new_id("imp")
    for batch in batched_lines(lines):
        good = []
        for number, line in batch:
            try:
                good.append(
                    parse_line(line, assistant=assistant.name, marker=assistant.handoff_marker)
                )
            except InvalidInput as error:
                summary.bad.append({"line": number, "reason": str(error)})
                on_bad(number, str(error))
        with database.write() as session:
            added = [
                entry
                for entry in good
                if add_imported(
                    session,
                    entry.lesson,
                    assistant=assistant.name,
                    key=entry.key,
                    approved=entry.approved,
                    actor=actor,
                )
            ]
        summary.added += len(added)
        summary.approved += sum(entry.approved for entry in added)
        summary.known += len(good) - len(added)
    if waiting := summary.added - summary.approved:
        with database.write() as session:
            tell_imported(session, assistant.name, run=run, number=waiting)
    return summary


def batched_lines(lines: Iterable[bytes]) -> Iterator[tuple[tuple[int, bytes], ...]]:
    """Lines with their numbers, a batch at a time, without blank ones and byte-order marks."""
    numbered = (
        (number, line.removeprefix(b"\xef\xbb\xbf")) for number, line in enumerate(lines, start=1)
    )
    filled = (pair for pair in numbered if pair[1].strip())
    while batch := tuple(islice(filled, _BATCH_LINES)):
        yield batch


def _with_progress(stream: IO[bytes], *, size: int) -> Iterator[bytes]:
    """The lines of a file; while a long one is read, the rate and time left now and then."""
    began = told = time.monotonic()
    read = 0
    for number, line in enumerate(stream, start=1):
        read += len(line)
        yield line
        now = time.monotonic()
        if now - told >= _NEWS_SECONDS:
            told = now
            left = (now - began) / read * (size - read)
            rate = number / (now - began)
            click.echo(
                f"{number:,} lines, {read / size:.0%}, {rate:,.0f} lines/s, {left:.0f} s left",
                err=True,
            )


def _text(result: dict[str, Any]) -> str:
    added, approved = result["added"], result["added_approved"]
    lines = [
        f"Added {added:,} examples to {result['assistant']} ({approved:,} approved, "
        f"{added - approved:,} proposed); {result['known_already']:,} were known already."
    ]
    if result["bad_lines"]:
        lines.append(f"{len(result['bad_lines']):,} lines could not be used; see above.")
    if approved:
        lines.append("Next: understudy retrain")
    return "\n".join(lines)
