"""The commands `understudy worker` and `understudy retrain`."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show, table

if TYPE_CHECKING:
    from records.artifacts import Artifacts
    from records.database import Database
    from records.tables import Job
    from tuning.settings import WorkerSettings

_NO_WORKER = "No worker runs now. Start one (understudy worker, or up); the job goes on there."


@click.command()
def worker() -> None:
    """Run retraining jobs as they are requested, until SIGTERM or Ctrl-C.

    It may be killed at any moment: the next worker goes on where it stopped.
    """
    from tuning.settings import WorkerSettings
    from tuning.workflow.worker import Worker, only_worker, ready_file

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = WorkerSettings.load()
    database, artifacts = _stores(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    waited = False
    while not stop.is_set():
        with only_worker(settings, database) as ours:
            if ours:
                with (
                    Worker(settings, database, artifacts, stopping=stop) as running,
                    ready_file(settings),
                ):
                    click.echo("The worker is ready.")
                    running.serve()
                return
        if not waited:
            click.echo("Another worker runs on this database; waiting for its end.")
            waited = True
        stop.wait(settings.worker_poll_seconds)


@click.command()
@click.option("--assistant", help="Name of the assistant; needed where there are several.")
@click.option("--no-replay", is_flag=True, help="Train on corrections alone; expect forgetting.")
@click.option(
    "--recipe",
    "named",
    metavar="NAME|FILE.yaml",
    help="Begin from a recipe: one that comes with Understudy (sft, sft_dpo, …) or your own file.",
)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option(
    "--budget",
    metavar="TIME",
    help="Search for the best recipe for so long, such as 20m or 1h30m; what --set sets stays.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for the end, showing progress.")
@json_option
@click.pass_context
def retrain(
    context: click.Context,
    assistant: str | None,
    pairs: Sequence[str],
    named: str | None,
    budget: str | None,
    *,
    no_replay: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Train a new version from approved examples, and compare it with the champion.

    Without a running worker the job is run here.
    """
    from records import jobs
    from records.assistant import pick_assistant, read_assistants
    from tuning.dataset.options import resolve_data
    from tuning.recipes.named import FROM, to_carry
    from tuning.search.budget import parse_budget
    from tuning.search.ordered import BUDGET
    from tuning.settings import WorkerSettings
    from tuning.training.recipe import parse_settings, resolve

    settings = WorkerSettings.load()
    chosen = pick_assistant(read_assistants(settings.assistants), assistant)
    overrides = parse_settings(pairs) | ({"replay_share": 0} if no_replay else {})
    if named:
        overrides[FROM] = to_carry(named)
    resolve(chosen.recipe, overrides)
    resolve_data(chosen.data)
    options: dict[str, Any] = {"recipe": overrides}
    if budget:
        options[BUDGET] = parse_budget(budget)
    database, artifacts = _stores(settings)
    with database.write() as session:
        job = jobs.request(session, chosen.name, requested_by=actor(), options=options)
    if not wait:
        show({"job_id": job.id}, as_json=as_json, text=lambda r: f"Requested: {r['job_id']}")
        return
    ended = _see_through(settings, database, artifacts, job.id)
    result = _result(database, artifacts, ended)
    show(result, as_json=as_json, text=_text)
    if ended.error or result["state"] != "succeeded":
        context.exit(1)


@click.command()
@click.argument("job_id")
@json_option
def cancel(job_id: str, *, as_json: bool) -> None:
    """Stop the retraining JOB_ID; its trainer ends within seconds, and nothing is published."""
    from records import jobs
    from tuning.settings import WorkerSettings

    database, _ = _stores(WorkerSettings.load())
    with database.write() as session:
        jobs.cancel(session, job_id, actor=actor())
    show({"job_id": job_id, "state": "cancelled"}, as_json=as_json, text=_cancelled)


def _cancelled(result: dict[str, Any]) -> str:
    return f"{result['job_id']} is {result['state']}."


def _see_through(
    settings: "WorkerSettings", database: "Database", artifacts: "Artifacts", job_id: str
) -> "Job":
    """Follow a job to its end, being the worker ourselves where there is none."""
    from tuning.workflow.watching import watch
    from tuning.workflow.worker import only_worker, worker_runs

    with only_worker(settings, database) as ours:
        if ours:
            with _serving(settings, database, artifacts):
                return watch(database, job_id, alive=lambda: True, notice="")
    return watch(database, job_id, alive=lambda: worker_runs(settings), notice=_NO_WORKER)


@contextmanager
def _serving(
    settings: "WorkerSettings", database: "Database", artifacts: "Artifacts"
) -> Iterator[None]:
    from tuning.workflow.worker import Worker

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupted)
    with Worker(settings, database, artifacts) as running:
        thread = threading.Thread(target=running.serve, daemon=True)
        thread.start()
        try:
            yield
        except KeyboardInterrupt:
            click.echo("\nStopped. The job goes on when a worker runs: understudy worker", err=True)
            sys.exit(130)
        finally:
            running.stopping.set()
            thread.join()
            signal.signal(signal.SIGTERM, before)


def _stores(settings: "WorkerSettings") -> tuple["Database", "Artifacts"]:
    from records.artifacts import Artifacts
    from records.database import Database
    from records.settings import make_folder

    make_folder(settings.home)
    database = Database(settings.database)
    database.migrate()
    return database, Artifacts.of(settings)


def _result(database: "Database", artifacts: "Artifacts", job: "Job") -> dict[str, Any]:
    from records.tables import Report, Version

    with database.read() as session:
        report = session.get(Report, job.report_id) if job.report_id else None
        version = session.get(Version, job.version) if job.version else None
    spent = job.spent or {}
    return {
        "job_id": job.id,
        "state": str(job.state),
        "version": job.version,
        "verdict": str(report.verdict) if report and report.verdict else None,
        "report_id": job.report_id,
        "report": str(artifacts.fetch(report.path) / "report.md") if report else None,
        "dataset_id": job.dataset_id,
        "seconds": spent.get("seconds"),
        "spent": spent,
        "search": version.manifest.get("search") if version else None,
        "error": job.error,
    }


def _text(result: dict[str, Any]) -> str:
    if result["error"]:
        return f"The job {result['job_id']} failed: {result['error']}"
    if result["state"] != "succeeded":
        return f"The job {result['job_id']} was {result['state']}."
    lines = [f"{result['version']} was trained from {result['dataset_id']}."]
    lines += _spent_lines(result["spent"], result["job_id"])
    lines += _search_lines(result["search"]) if result["search"] else []
    if result["verdict"] is None:
        lines.append("It was not compared: name `cases` in the assistant's YAML, or it is the same")
        lines.append(f"as the champion. Measure it: understudy evaluate {result['version']}")
    else:
        lines.append(f"The gate says {result['verdict']}. Report: {result['report']}")
        lines.append(_next(result))
    return "\n".join(lines)


def _spent_lines(spent: dict[str, Any], job_id: str) -> list[str]:
    from tuning.workflow.commands import spent_words

    words = spent_words(spent)
    return [f"It took {words} (by step: understudy jobs show {job_id})."] if words else []


def _search_lines(found: dict[str, Any]) -> list[str]:
    """The trials of a search, what it found, and how to keep that."""
    from evaluation.search_wording import sentences, to_keep, trial_rows

    keep = to_keep(found)
    return ["", table(trial_rows(found)), "", *sentences(found), *([keep] if keep else []), ""]


def _next(result: dict[str, Any]) -> str:
    if result["verdict"] == "PASS":
        return f"Next: understudy promote {result['version']}"
    return "Next: read the report; flag and approve more corrections, then retrain."
