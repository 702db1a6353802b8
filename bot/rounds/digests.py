"""The daily digest of a running experiment: put once per experiment and day of its own calendar."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.desk import Desk
from records import experiments, outbox
from records.assistant import Assistant
from records.outbox import Kind

AT = time(9, 0)
"""When in the day it is told, where the assistant's team works."""


def digest(session: Session, desk: Desk, now: datetime) -> None:
    """Put today's digest of each running experiment, from its time of day on."""
    for assistant in desk.assistants.values():
        running = experiments.running(session, assistant.name)
        day = day_of(running.started_at, now, zone=zone_of(assistant)) if running else None
        if running is not None and day is not None:
            local = now.astimezone(zone_of(assistant)).date()
            outbox.put(
                session,
                Kind.EXPERIMENT_DIGEST,
                running.id,
                revision=local.isoformat(),
                day=day,
            )


def day_of(started_at: datetime, now: datetime, *, zone: ZoneInfo) -> int | None:
    """Which day of an experiment a digest at `now` tells of; None where none is due. Pure.

    The day on which it started is day 1; started later than a digest comes, it has none that day.
    """
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), AT, tzinfo=zone)
    if now < due or started_at >= due:
        return None
    return (local.date() - started_at.astimezone(zone).date()).days + 1


def zone_of(assistant: Assistant) -> ZoneInfo:
    """Where the assistant's team works, as far as its file says."""
    hours = assistant.escalation.hours
    return ZoneInfo(hours.timezone if hours is not None else assistant.retrain.timezone)
