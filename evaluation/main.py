"""The commands `evaluate` and `compare`."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import Field

from records.cli import json_option, show
from records.errors import InvalidInput, NotFound
from records.settings import Settings
from records.states import Verdict

if TYPE_CHECKING:  # the command line loads what a command needs when it runs
    from evaluation.asking import OnProgress, Progress
    from evaluation.cases import CaseFile
    from records.assistant import Assistant
    from records.database import Database

_SHOWN_PROBLEMS = 10
_LINE_EVERY_SECONDS = 0.2
_LOG_EVERY_SECONDS = 10.0

_cases_option = click.option(
    "--cases",
    "cases_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL file of cases; default: the one that the assistant's YAML names.",
)


class EvaluationSettings(Settings):
    """Settings of the commands that ask the engine."""

    evaluation_concurrency: int = Field(
        default=16, ge=1, description="Requests at a time to each engine."
    )


@click.command()
@click.argument("version")
@_cases_option
@json_option
def evaluate(version: str, cases_path: Path | None, *, as_json: bool) -> None:
    """Measure VERSION on a file of cases, asking it through the running engine."""
    _run(version, champion=None, cases_path=cases_path, as_json=as_json)


@click.command()
@click.argument("champion", metavar="A")
@click.argument("challenger", metavar="B")
@_cases_option
@json_option
def compare(champion: str, challenger: str, cases_path: Path | None, *, as_json: bool) -> None:
    """Compare version B with version A on the same cases, and let the gate judge B."""
    _run(challenger, champion=champion, cases_path=cases_path, as_json=as_json)


def _run(challenger: str, *, champion: str | None, cases_path: Path | None, as_json: bool) -> None:
    from evaluation.asking import Manner
    from evaluation.run import run_evaluation
    from records import versions
    from records.artifacts import Artifacts
    from records.database import Database
    from records.tables import Report

    settings = EvaluationSettings.load()
    database = Database(settings.database)
    database.migrate()
    artifacts = Artifacts.of(settings)
    assistant = _assistant_of(database, settings, challenger)
    report_id = asyncio.run(
        run_evaluation(
            database,
            artifacts,
            settings.engines,
            assistant,
            challenger=challenger,
            champion=champion,
            cases=_cases(assistant, cases_path),
            on_progress=_progress_line(),
            manner=Manner(concurrency=settings.evaluation_concurrency),
        )
    )
    with database.read() as session:
        report = session.get_one(Report, report_id)
        pointer = versions.pointer(session, assistant.name)
        may_promote = versions.may_promote(session, report)
    folder = artifacts.fetch(report.path)
    serving = pointer.version if pointer else None
    next_step = _next_step(report.body, serving, may_promote=may_promote)
    result = {"id": report.id, "folder": str(folder), **report.body, "next": next_step}
    show(result, as_json=as_json, text=_text)


def _assistant_of(database: "Database", settings: Settings, version: str) -> "Assistant":
    from records import versions
    from records.assistant import pick_assistant, read_assistants

    with database.read() as session:
        name = versions.get(session, version).assistant
    return pick_assistant(read_assistants(settings.assistants), name)


def _cases(assistant: "Assistant", path: Path | None) -> "CaseFile":
    """The cases to ask, with a line on standard error for each that can't be used."""
    from evaluation.cases import read_cases

    chosen = path or (Path(assistant.cases) if assistant.cases else None)
    if chosen is None:
        raise NotFound(
            f"Assistant {assistant.name!r} names no cases: give --cases FILE, or set `cases` in "
            "its YAML."
        )
    cases = read_cases(Path(os.path.normpath(chosen)))
    for problem in cases.problems[:_SHOWN_PROBLEMS]:
        click.secho(f"{chosen}:{problem.line}: {problem.reason}", fg="yellow", err=True)
    if len(cases.problems) > _SHOWN_PROBLEMS:
        more = len(cases.problems) - _SHOWN_PROBLEMS
        click.secho(f"and {more} more lines (all are in report.json)", fg="yellow", err=True)
    if not cases.cases:
        raise InvalidInput(f"{chosen} holds no case that can be used.")
    return cases


def _progress_line() -> "OnProgress":
    """A line on standard error: renewed on a terminal, now and then elsewhere."""
    live = sys.stderr.isatty()
    told: dict[str, float] = {}

    def on_progress(progress: "Progress") -> None:
        now, finished = time.monotonic(), progress.done == progress.total
        wait = _LINE_EVERY_SECONDS if live else _LOG_EVERY_SECONDS
        if not finished and now - told.get(progress.version, 0.0) < wait:
            return
        told[progress.version] = now
        click.echo("\r\033[K" * live + _progress(progress), err=True, nl=finished or not live)

    return on_progress


def _progress(progress: "Progress") -> str:
    line = f"{progress.version}: {progress.done} of {progress.total} cases answered"
    if progress.answers_per_second:
        line += f", {progress.answers_per_second:.1f} a second"
    if progress.seconds_left:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        line += f", {minutes}:{seconds:02d} left"
    return line


def _next_step(body: Mapping[str, Any], serving: str | None, *, may_promote: bool) -> str:
    challenger = body["challenger"]
    if body["verdict"] is None:
        if serving in (None, challenger):
            return f"Compare another version with it: understudy compare {challenger} VERSION"
        return f"Compare it with the champion: understudy compare {serving} {challenger}"
    if body["verdict"] == Verdict.PASS:
        return _after_pass(body, serving, may_promote=may_promote)
    return " ".join(body["settle"]) or "Keep the champion; correct more answers and retrain."


def _after_pass(body: Mapping[str, Any], serving: str | None, *, may_promote: bool) -> str:
    """A PASS counts against the version that serves; promoting asks for that one's."""
    champion, challenger = body["champion"], body["challenger"]
    if may_promote:
        return f"Let it answer customers: understudy promote {challenger}"
    if serving == challenger:
        return f"Nothing: {challenger} is champion already."
    if serving in (None, champion):
        return (
            "Only a PASS on the assistant's own cases lets it answer customers; compare on those: "
            f"understudy compare {champion} {challenger}"
        )
    return (
        f"{serving} is champion now, not {champion}; compare with it: "
        f"understudy compare {serving} {challenger}"
    )


def _text(result: Mapping[str, Any]) -> str:
    from evaluation.wording import changed, metric_rows, notes, slice_rows_of, title

    lines = ["", *_columns(metric_rows(result)), "", *_columns(slice_rows_of(result))]
    lines += [f"  {note}" for note in notes(result)]
    colour = {"PASS": "green", "FAIL": "red"}.get(result["verdict"] or "", "yellow")
    lines += ["", click.style(title(result), bold=True, fg=colour)]
    lines += [f"  {reason}" for reason in result["reasons"]]
    if result["champion"] is not None:
        lines.append(f"  Answers: {changed(result['changes'])}.")
    lines += ["", f"Report: {result['folder']}", f"Next: {result['next']}"]
    return "\n".join(lines)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    padded = [
        [row[0].ljust(widths[0])]
        + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        for row in rows
    ]
    lines = ["  ".join(row).rstrip() for row in padded]
    return [lines[0], "─" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]]
