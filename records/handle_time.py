"""How long an agent had an escalation: from take-over to its end, less the pauses.

Pure on the row's values. Clocks may be set back: no length is ever negative.
"""

from datetime import datetime

from records.tables import Escalation


def begin_pause(escalation: Escalation, now: datetime) -> None:
    """The owner waits for something else from now on; one pause is not begun twice."""
    if escalation.paused_at is None:
        escalation.paused_at = now


def end_pause(escalation: Escalation, now: datetime) -> bool:
    """Add the pause that has been going on to those before; False where there was none."""
    if escalation.paused_at is None:
        return False
    escalation.paused_seconds += _seconds(escalation.paused_at, now)
    escalation.paused_at = None
    return True


def handled_seconds(escalation: Escalation) -> float | None:
    """The handling time of an escalation that has ended; None where nobody had it."""
    if escalation.taken_at is None or escalation.resolved_at is None:
        return None
    whole = _seconds(escalation.taken_at, escalation.resolved_at)
    return max(0.0, whole - (escalation.paused_seconds or 0.0))


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
