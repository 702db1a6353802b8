"""Which kind of outbox row brings which kind of message up to date."""

from records.outbox import Kind

HEADS: dict[str, Kind] = {
    Kind.ESCALATION_CHANGED: Kind.ESCALATION_OPENED,
    Kind.TURN_CHANGED: Kind.TURN_ADDED,
    Kind.EXAMPLE_CHANGED: Kind.EXAMPLE_PROPOSED,
    Kind.JOB_CHANGED: Kind.JOB_STARTED,
    Kind.REPORT_CHANGED: Kind.REPORT_READY,
}
"""From the kind that changes a message to the kind that posted it."""
