"""`understudy jobs`: retrainings, how far they are, and what they took. It needs no worker."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from records.cli import json_option, show, table
from records.opened_records import opened_records
from records.text import time_words

if TYPE_CHECKING:
    from records.tables import Job

_MOST = 20


@click.group("jobs", invoke_without_command=True)
@click.option("--assistant", help="Only those of this assistant.")
@click.option("--most", type=click.IntRange(min=1), default=_MOST, show_default=True)
@json_option
@click.pass_context
def jobs_(context: click.Context, assistant: str | None, most: int, *, as_json: bool) -> None:
    """List retrainings, the newest first: state, stage, time and cost."""
    if context.invoked_subcommand is not None:
        return
    from records import jobs

    with opened_records() as (_, database), database.read() as session:
        found = [_shown(job) for job in jobs.recent(session, assistant=assistant, most=most)]
    show(found, as_json=as_json, text=_listed)


@jobs_.command("show")
@click.argument("job_id")
@json_option
def show_(job_id: str, *, as_json: bool) -> None:
    """Show the retraining JOB_ID: what it made, and what each of its steps took."""
    from records import jobs

    with opened_records() as (_, database), database.read() as session:
        found = _shown(jobs.get(session, job_id))
    show(found, as_json=as_json, text=_detailed)


def spent_words(spent: Mapping[str, Any]) -> str:
    """What a job took in one line, such as `4 min 10 s, accelerator 3 min 02 s, 0.41 EUR`."""
    if not spent.get("seconds"):
        return ""
    parts = [time_words(spent["seconds"])]
    if spent.get("accelerator_seconds"):
        parts.append(f"accelerator {time_words(spent['accelerator_seconds'])}")
    if spent.get("cost"):
        parts.append(f"{spent['cost']:.2f} {spent.get('currency', '')}".strip())
    return ", ".join(parts)


def _shown(job: "Job") -> dict[str, Any]:
    return {
        "job_id": job.id,
        "assistant": job.assistant,
        "state": str(job.state),
        "stage": job.stage,
        "progress": job.progress,
        "requested_by": job.requested_by,
        "options": job.options,
        "created_at": job.created_at.isoformat(timespec="seconds"),
        "dataset_id": job.dataset_id,
        "version": job.version,
        "report_id": job.report_id,
        "spent": job.spent,
        "error": job.error,
    }


def _listed(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No retraining was asked for yet. Ask for one: understudy retrain"
    head = ("job", "assistant", "asked for", "by", "state", "stage", "took")
    rows = [
        (
            one["job_id"],
            one["assistant"],
            one["created_at"],
            one["requested_by"],
            one["state"],
            "" if one["stage"] == one["state"] else one["stage"],
            spent_words(one["spent"] or {}),
        )
        for one in found
    ]
    return table([head, *rows])


def _detailed(one: dict[str, Any]) -> str:
    from tuning.workflow.watching import describe

    spent = one["spent"] or {}
    lines = [
        f"{one['job_id']}: {one['assistant']}, asked for by {one['requested_by']} at "
        f"{one['created_at']}",
        f"{one['state']}: {describe(one['stage'], one['progress'] or {})}",
        *(f"{name}: {one[name]}" for name in ("dataset_id", "version", "report_id") if one[name]),
        *([f"error: {one['error']}"] if one["error"] else []),
        *_expected(spent),
    ]
    return "\n".join([*lines, *_steps(spent)])


def _expected(spent: Mapping[str, Any]) -> list[str]:
    seconds = spent.get("expected_training_seconds")
    return [f"training was expected to take {time_words(seconds)}"] if seconds else []


def _steps(spent: Mapping[str, Any]) -> list[str]:
    if not spent.get("steps"):
        return []
    rows = [
        (name, f"{took['seconds']:.1f} s", f"{took['accelerator_seconds']:.1f} s")
        for name, took in spent["steps"].items()
    ]
    return [
        "",
        table([("step", "took", "accelerator"), *rows]),
        "",
        f"in all: {spent_words(spent)}",
    ]
