"""What each kind of outbox row is about, and which kind of message it brings up to date."""

from enum import StrEnum

from records.outbox import Kind


class Subject(StrEnum):
    """What the id under `subject` names."""

    ESCALATION = "escalation"
    TURN = "turn"
    FLAG = "flag"
    EXAMPLE = "example"
    JOB = "job"
    REPORT = "report"
    EXPERIMENT = "experiment"
    VERSION = "version"


SUBJECTS: dict[Kind, Subject] = {
    Kind.ESCALATION_OPENED: Subject.ESCALATION,
    Kind.ESCALATION_CHANGED: Subject.ESCALATION,
    Kind.ESCALATION_ASSIGNED: Subject.ESCALATION,
    Kind.ESCALATION_REMINDER: Subject.ESCALATION,
    Kind.ESCALATION_ON_CALL: Subject.ESCALATION,
    Kind.TURN_ADDED: Subject.TURN,
    Kind.TURN_SNIPPET: Subject.TURN,
    Kind.TURN_CHANGED: Subject.TURN,
    Kind.REPLY_RELAYED: Subject.TURN,
    Kind.REPLY_UNREAD: Subject.TURN,
    Kind.REPLY_UNREAD_CHANGED: Subject.TURN,
    Kind.FLAG_FIXED: Subject.FLAG,
    Kind.EXAMPLE_PROPOSED: Subject.EXAMPLE,
    Kind.EXAMPLE_CHANGED: Subject.EXAMPLE,
    Kind.JOB_STARTED: Subject.JOB,
    Kind.JOB_CHANGED: Subject.JOB,
    Kind.REPORT_READY: Subject.REPORT,
    Kind.REPORT_CHANGED: Subject.REPORT,
    Kind.REPORT_PLOT: Subject.REPORT,
    Kind.REPORT_CHANGES: Subject.REPORT,
    Kind.EXPERIMENT_STARTED: Subject.EXPERIMENT,
    Kind.EXPERIMENT_CHANGED: Subject.EXPERIMENT,
    Kind.EXPERIMENT_DIGEST: Subject.EXPERIMENT,
    Kind.EXPERIMENT_ALERT: Subject.EXPERIMENT,
    Kind.VERSION_REFUSED: Subject.VERSION,
    Kind.RELEASED: Subject.VERSION,
}

HEADS: dict[str, Kind] = {
    Kind.ESCALATION_CHANGED: Kind.ESCALATION_OPENED,
    Kind.TURN_CHANGED: Kind.TURN_ADDED,
    Kind.REPLY_UNREAD_CHANGED: Kind.REPLY_UNREAD,
    Kind.EXAMPLE_CHANGED: Kind.EXAMPLE_PROPOSED,
    Kind.JOB_CHANGED: Kind.JOB_STARTED,
    Kind.REPORT_CHANGED: Kind.REPORT_READY,
    Kind.EXPERIMENT_CHANGED: Kind.EXPERIMENT_STARTED,
}
"""From the kind that changes a message to the kind that posted it."""
