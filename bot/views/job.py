"""The one message that shows a retraining from request to end."""

from typing import Any

from slack_sdk.models.blocks import Block

from bot import wording
from bot.text import escaped, literal, who
from bot.views.content import Content, content, duration, line, said, small
from records.states import JobState
from records.tables import Job

_BAR = 20


def job_message(job: Job) -> Content:
    """How far a job is."""
    blocks: list[Block] = [
        line(f"*Retraining {literal(job.assistant)}*, asked for by {who(job.requested_by)}"),
        line(_state(job)),
    ]
    if job.state is JobState.RUNNING and job.progress:
        blocks.append(line(_progress(job.progress)))
    if job.error:
        blocks += said(job.error, most=1)
    blocks.append(small(job.id, _results(job)))
    return content(escaped(f"Retraining {job.assistant}: {job.state}, {job.stage}"), blocks)


def _state(job: Job) -> str:
    words = wording.releases.JOB_STATES[job.state]
    if job.state is JobState.RUNNING:
        words += f": {literal(job.stage.replace('_', ' '))}"
    if job.started_at and job.finished_at:
        words += f" after {duration((job.finished_at - job.started_at).total_seconds())}"
    return words


def _progress(progress: dict[str, Any]) -> str:
    parts = []
    step, steps = _number(progress, "step", "done"), _number(progress, "steps", "total")
    if step is not None and steps:
        share = min(1.0, max(0.0, step / steps))
        filled = round(share * _BAR)
        bar = "▓" * filled + "░" * (_BAR - filled)
        parts.append(f"`{bar}` {share:.0%} ({step:,.0f} of {steps:,.0f})")
    if (loss := _number(progress, "loss")) is not None:
        parts.append(f"loss {loss:.3f}")
    if (rate := _number(progress, "tokens_per_second")) is not None:
        parts.append(f"{rate:,.0f} tokens/s")
    if (left := _number(progress, "seconds_left")) is not None:
        parts.append(f"{duration(left)} left")
    return " · ".join(parts) or "…"


def _number(progress: dict[str, Any], *names: str) -> float | None:
    for name in names:
        value = progress.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            return float(value)
    return None


def _results(job: Job) -> str:
    found = [name for name in (job.dataset_id, job.version, job.report_id) if name]
    return " → ".join(literal(name) for name in found)
