"""The one message that shows a retraining from request to end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import escaped, literal, who
from bot.views.content import Button, Content, buttons, content, duration, line, moment, said, small
from bot.views.version_names import BY_ID, VersionNames
from records.states import JobState, JobTrigger
from records.tables import Job

_BAR = 20
_ACTIVE = (JobState.QUEUED, JobState.RUNNING)
_FIGURES = {
    "loss": (wording.retraining.LOSS, "loss", ".3f"),
    "held_out_loss": (wording.retraining.HELD_OUT_LOSS, "loss", ".3f"),
    "tokens_per_second": (wording.retraining.TOKENS, "rate", ",.0f"),
    "answers_per_second": (wording.retraining.ANSWERS, "rate", ",.0f"),
}
"""A figure of the progress: its words, their gap, and the form of the number."""


def job_message(
    job: Job, *, cancelled_by: str | None = None, names: VersionNames = BY_ID
) -> Content:
    """How far a job is, and who cancelled it where somebody did."""
    words = wording.retraining.FALLBACKS[job.state]
    blocks = job_blocks(job, cancelled_by=cancelled_by, names=names)
    return content(escaped(words.format(assistant=job.assistant)), blocks)


def job_blocks(
    job: Job, *, cancelled_by: str | None = None, names: VersionNames = BY_ID
) -> list[Block]:
    """The same, to be shown within something else."""
    blocks: list[Block] = [line(_title(job)), line(_state(job, cancelled_by))]
    if job.state is JobState.RUNNING and job.progress:
        figures = _progress(job.progress)
        blocks += [line(figures)] if figures else []
    if job.error:
        blocks += said(job.error, most=1)
    blocks.append(small(*_wishes(job.options or {}), job.id, _results(job, names)))
    if job.state in _ACTIVE:
        blocks.append(buttons("job", _cancel(job)))
    return blocks


def _title(job: Job) -> str:
    assistant = literal(job.assistant)
    if job.requested_by in list(JobTrigger):
        words = wording.retraining.TITLES_BY_ITSELF[JobTrigger(job.requested_by)]
        return words.format(assistant=assistant)
    return wording.retraining.TITLE.format(assistant=assistant, who=who(job.requested_by))


def _state(job: Job, cancelled_by: str | None) -> str:
    words = wording.retraining.STATES[job.state]
    if job.state is JobState.RUNNING:
        stage = wording.retraining.STAGES.get(job.stage) or literal(job.stage.replace("_", " "))
        words = wording.retraining.RUNNING.format(stage=stage)
    if job.state is JobState.CANCELLED and cancelled_by:
        words = wording.retraining.CANCELLED_BY.format(who=who(cancelled_by))
    if job.started_at and job.finished_at:
        took = duration((job.finished_at - job.started_at).total_seconds())
        words = wording.retraining.STATE_AFTER.format(state=words, duration=took)
    return words


def _cancel(job: Job) -> Button:
    return Button(
        wording.retraining.CANCEL,
        "cancel_job",
        job.id,
        style="danger",
        question=wording.retraining.CANCEL_QUESTION,
        yes=wording.retraining.CANCEL_YES,
        no=wording.retraining.CANCEL_NO,
    )


def _progress(progress: Mapping[str, Any]) -> str:
    parts = _search(progress)
    done, total = _number(progress, "step", "done"), _number(progress, "steps", "total")
    if done is not None and total:
        share = min(1.0, max(0.0, done / total))
        filled = round(share * _BAR)
        bar = "▓" * filled + "░" * (_BAR - filled)
        parts.append(
            wording.retraining.BAR.format(
                bar=bar, share=f"{share:.0%}", done=f"{done:,.0f}", total=f"{total:,.0f}"
            )
        )
    for name, (words, gap, form) in _FIGURES.items():
        if (number := _number(progress, name)) is not None:
            parts.append(words.format(**{gap: format(number, form)}))
    if (left := _number(progress, "seconds_left")) is not None:
        parts.append(wording.retraining.LEFT.format(duration=duration(left)))
    return " · ".join(parts)


def _search(progress: Mapping[str, Any]) -> list[str]:
    """Which of about how many recipes is trained, and how good the best one is so far."""
    words, number = wording.retraining, _number(progress, "trial")
    if number is None:
        return []
    count, best = _number(progress, "trials"), _number(progress, "best")
    trial = words.TRIAL if count is None else words.TRIAL_OF
    parts = [trial.format(number=f"{number:.0f}", count=f"{count or 0:.0f}")]
    return parts if best is None else [*parts, words.BEST.format(quality=f"{best:.2f}")]


def _number(progress: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = progress.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            return min(1e12, max(-1e12, float(value)))
    return None


def _wishes(options: Mapping[str, Any]) -> list[str]:
    """What was asked for beside the recipe."""
    said_of = []
    since = options.get("since")
    if isinstance(since, str):
        at = moment(datetime.fromisoformat(since))
        said_of.append(wording.retraining.WITH_SINCE.format(at=at))
    minutes = (options.get("recipe") or {}).get("max_minutes")
    if isinstance(minutes, int | float):
        said_of.append(wording.retraining.WITH_MINUTES.format(duration=duration(minutes * 60)))
    budget = options.get("budget_seconds")
    if isinstance(budget, int | float):
        said_of.append(wording.retraining.WITH_SEARCH.format(duration=duration(budget)))
    return said_of


def _results(job: Job, names: VersionNames) -> str:
    version = names.full(job.version) if job.version else ""
    found = [name for name in (job.dataset_id, version, job.report_id) if name]
    return " → ".join(literal(name) for name in found)
