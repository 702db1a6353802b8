"""How a job looks on a terminal: one line that renews itself, or a line now and then in a log."""

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from records import jobs
from records.database import Database
from records.tables import Job
from records.text import time_words

_LOOK_SECONDS = 0.5
_LOG_SECONDS = 10.0


def watch(database: Database, job_id: str, *, alive: Callable[[], bool], notice: str) -> Job:
    """Show a job's progress on standard error until it ends; returns it as it ended.

    While `alive` says that nobody works on it, `notice` is shown once.
    """
    terminal = sys.stderr.isatty()
    shown, shown_at, noticed = "", 0.0, False
    while True:
        with database.read() as session:
            job = jobs.get(session, job_id)
        line = describe(job.stage, job.progress)
        stage_changed = line.split(":")[0] != shown.split(":")[0]
        due = terminal or stage_changed or time.monotonic() - shown_at >= _LOG_SECONDS
        if line != shown and due:
            click.echo(f"\r\x1b[2K{line}" if terminal else line, err=True, nl=not terminal)
            shown, shown_at = line, time.monotonic()
        if job.state not in jobs.ACTIVE:
            if terminal:
                click.echo(err=True)
            return job
        if not noticed and not alive():
            noticed = True
            click.echo(notice, err=True)
        time.sleep(_LOOK_SECONDS)


def describe(stage: str, progress: dict[str, Any]) -> str:
    """A stage and its figures in one line."""
    figures = _trial(progress)
    done, total = (progress.get(k) for k in _counts(progress))
    if done is not None and total:
        figures.append(f"{done}/{total}")
    if progress.get("loss") is not None:
        figures.append(f"loss {progress['loss']:.3f}")
    if progress.get("held_out_loss") is not None:
        figures.append(f"held-out loss {progress['held_out_loss']:.3f}")
    if progress.get("tokens_per_second"):
        figures.append(f"{progress['tokens_per_second']:,} tokens/s")
    if progress.get("answers_per_second"):
        figures.append(f"{progress['answers_per_second']:.1f} answers/s")
    if progress.get("seconds_left") is not None:
        figures.append(f"{time_words(progress['seconds_left'])} left")
    figures += [progress[name] for name in ("expected", "why") if progress.get(name)]
    return f"{stage}: {', '.join(figures)}" if figures else stage


def _trial(progress: dict[str, Any]) -> list[str]:
    """Where a search for a recipe is, such as `trial 3 of about 8, best 0.710 so far`."""
    if progress.get("looking_again"):
        return ["looking once more at the best"]
    if progress.get("trial") is None:
        return []
    of = f" of about {progress['trials']}" if progress.get("trials") else ""
    best = progress.get("best")
    return [f"trial {progress['trial']}{of}", *([f"best {best:.3f} so far"] if best else [])]


def _counts(progress: dict[str, Any]) -> tuple[str, str]:
    return ("step", "steps") if "steps" in progress else ("done", "total")
