"""`understudy import`: past conversations with their right answers, from JSONL, CSV or Parquet."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show
from records.errors import InvalidInput
from tuning.sources.importing import Summary, import_file, to_lesson

if TYPE_CHECKING:
    from records.assistant import Assistant
    from records.imports import Imported
    from tuning.sources.reading import Options

_PREVIEWED = 3
_SHOWN_BAD = 100
"""Bad lines that are printed: a file may have millions."""


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--assistant", help="Name of the assistant; needed where there are several.")
@click.option(
    "--columns", multiple=True, metavar="WHAT=COLUMN,...", help="Which column holds what."
)
@click.option("--role", "roles", multiple=True, metavar="VALUE=WHO",
              help="Who a value of the role column is: customer, agent or skip.")  # fmt: skip
@click.option("--approved", is_flag=True, help="All of them may train without review: you vouch.")
@click.option("--licence", help="Of these files, such as CC-BY-4.0; kept with each example.")
@click.option("--encoding", help="Of CSV files, where the guess is wrong.")
@click.option("--delimiter", help="Between the cells of CSV files, where the guess is wrong.")
@click.option("--preview", is_flag=True, help="Only show how the first three lessons are read.")
@click.option("--bad", "bad_file", type=click.Path(dir_okay=False, path_type=Path),
              help="Write all bad lines, with their reasons, to this file.")  # fmt: skip
@json_option
@click.pass_context
def import_(
    context: click.Context,
    files: Sequence[Path],
    *,
    assistant: str | None,
    columns: Sequence[str],
    roles: Sequence[str],
    licence: str | None,
    encoding: str | None,
    delimiter: str | None,
    bad_file: Path | None,
    approved: bool,
    preview: bool,
    as_json: bool,
) -> None:
    r"""Add examples from FILES: JSONL, CSV, TSV or Parquet.

    JSONL holds an object a line: {"messages": [...], "customer": "c-1", "approved": true,
    "should_escalate": false, "slice": {...}}, messages in OpenAI's form, the last of them the
    assistant's right answer. Of other files say which columns hold what:

    \b
      --columns question=Subject+Body,answer=Reply,customer=Email,slice.topic=Category
      --columns conversation=Ticket,author=From,text=Message,time=Sent

    Only approved examples train. Repeating an import adds nothing. Bad lines are reported and
    leave the good ones alone. For pages of text: understudy documents add
    """
    from records.assistant import pick_assistant, read_assistants
    from records.database import Database
    from tuning.settings import WorkerSettings
    from tuning.sources.columns import parse_columns
    from tuning.sources.conversations import parse_speakers
    from tuning.sources.reading import Options, read_file

    settings = WorkerSettings.load()
    chosen = pick_assistant(read_assistants(settings.assistants), assistant)
    options = Options(
        parse_columns(columns), encoding, _character(delimiter), parse_speakers(roles)
    )
    if preview:
        for file in files:
            _preview(file, options, chosen)
        return
    for file in files:  # before anything is added
        with read_file(file, options):
            pass
    database = Database(settings.database)
    database.migrate()
    summary = Summary(chosen.name)
    with ExitStack() as opened:
        rejects = opened.enter_context(bad_file.open("w")) if bad_file else None
        for file in files:

            def on_bad(line: int, why: str, file: Path = file) -> None:
                if rejects is not None:
                    entry = {"file": str(file), "line": line, "reason": why}
                    rejects.write(json.dumps(entry, ensure_ascii=False) + "\n")
                if summary.bad <= _SHOWN_BAD:
                    click.secho(f"{file}:{line}: {why}", fg="yellow", err=True)
                elif summary.bad == _SHOWN_BAD + 1:
                    click.secho("More bad lines are not shown; see --bad.", fg="yellow", err=True)

            import_file(
                database, file, options, into=summary, assistant=chosen, actor=actor(),
                approved=approved, licence=licence, on_bad=on_bad, news=_say,
            )  # fmt: skip
    show(summary.as_json(), as_json=as_json, text=_text)
    if summary.bad:
        context.exit(1)


def _preview(file: Path, options: "Options", assistant: "Assistant") -> None:
    """Print how a file is read, and its first lessons."""
    from tuning.sources.reading import read_file

    with read_file(file, options) as reading:
        click.echo(f"{file}: {reading.told}")
        for record in islice(reading.records, _PREVIEWED):
            try:
                found = to_lesson(record, assistant, approved=False, origin={"file": file.name})
            except InvalidInput as error:
                click.secho(f"\n{file}:{record.line}: {error}", fg="yellow")
                continue
            if found is not None:
                click.echo(_shown(found))
    click.echo("\nNothing was added. Without --preview all of it is.")


def _shown(found: "Imported") -> str:
    lesson = found.lesson
    lines = ["", f"line {lesson.origin['line']}: {'approved' if found.approved else 'for review'}"]
    lines += [f"  {m.role}: {m.content}" for m in lesson.prompt]
    answer = f"hand over. {lesson.chosen}" if lesson.should_escalate else lesson.chosen
    lines.append(f"  right answer: {answer}")
    if lesson.rejected:
        lines.append(f"  wrong answer: {lesson.rejected}")
    about = {"customer": lesson.customer, "slice": lesson.slice or None}
    lines += [f"  {name}: {value}" for name, value in about.items() if value]
    return "\n".join(lines)


def _say(words: str) -> None:
    click.echo(words, err=True)


def _character(written: str | None) -> str | None:
    r"""The delimiter that a person meant: one character, `tab` or `\t`.

    Raises:
        InvalidInput: none of these.
    """
    if written is None:
        return None
    meant = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(written, written)
    if len(meant) != 1 or meant in '"\r\n':
        raise InvalidInput(f"--delimiter is one character, or tab, not {written!r}.")
    return meant


def _text(result: dict[str, Any]) -> str:
    added, approved = result["added"], result["added_approved"]
    lines = [
        f"Added {added:,} examples to {result['assistant']} ({approved:,} approved, "
        f"{added - approved:,} proposed); {result['known_already']:,} were known already."
    ]
    if result["synthetic_left_out"]:
        lines.append(f"{result['synthetic_left_out']:,} wordings made by an export were left out.")
    if result["bad"]:
        lines.append(f"{result['bad']:,} lines could not be used; see above.")
    if approved:
        lines.append("Next: understudy retrain")
    return "\n".join(lines)
