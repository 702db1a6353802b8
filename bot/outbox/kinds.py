"""What each kind of outbox row is about, and which kind of message it brings up to date."""

from enum import StrEnum

from records.outbox import Kind
from records.tables import OutboxMessage


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
    ASSISTANT = "assistant"


SUBJECTS: dict[Kind, Subject] = {
    Kind.ESCALATION_OPENED: Subject.ESCALATION,
    Kind.ESCALATION_CHANGED: Subject.ESCALATION,
    Kind.ESCALATION_ASSIGNED: Subject.ESCALATION,
    Kind.ESCALATION_REMINDER: Subject.ESCALATION,
    Kind.ESCALATION_ON_CALL: Subject.ESCALATION,
    Kind.ESCALATION_PASSED: Subject.ESCALATION,
    Kind.TRANSCRIPT: Subject.ESCALATION,
    Kind.TURN_ADDED: Subject.TURN,
    Kind.TURN_SNIPPET: Subject.TURN,
    Kind.TURN_CHANGED: Subject.TURN,
    Kind.REPLY_WAITING: Subject.TURN,
    Kind.MESSAGE_INTERNAL: Subject.ESCALATION,
    Kind.REPLY_RELAYED: Subject.TURN,
    Kind.REPLY_TAKEN_BACK: Subject.TURN,
    Kind.REPLY_UNREAD: Subject.TURN,
    Kind.REPLY_UNREAD_CHANGED: Subject.TURN,
    Kind.FLAG_FIXED: Subject.FLAG,
    Kind.EXAMPLE_PROPOSED: Subject.EXAMPLE,
    Kind.EXAMPLES_IMPORTED: Subject.ASSISTANT,
    Kind.EXAMPLE_CHANGED: Subject.EXAMPLE,
    Kind.JOB_STARTED: Subject.JOB,
    Kind.JOB_CHANGED: Subject.JOB,
    Kind.REPORT_READY: Subject.REPORT,
    Kind.REPORT_CHANGED: Subject.REPORT,
    Kind.REPORT_TABLES: Subject.REPORT,
    Kind.REPORT_PLOT: Subject.REPORT,
    Kind.REPORT_CHANGES: Subject.REPORT,
    Kind.EXPERIMENT_STARTED: Subject.EXPERIMENT,
    Kind.EXPERIMENT_CHANGED: Subject.EXPERIMENT,
    Kind.EXPERIMENT_DIGEST: Subject.EXPERIMENT,
    Kind.EXPERIMENT_ALERT: Subject.EXPERIMENT,
    Kind.QUESTION_UNANSWERED: Subject.TURN,
    Kind.QUESTION_UNANSWERED_CHANGED: Subject.TURN,
    Kind.COMPARISON_READY: Subject.TURN,
    Kind.COMPARISON_CHANGED: Subject.TURN,
    Kind.VERSION_REFUSED: Subject.VERSION,
    Kind.RELEASED: Subject.VERSION,
    Kind.RELEASED_CHANGED: Subject.VERSION,
}

HEADS: dict[str, Kind] = {
    Kind.ESCALATION_CHANGED: Kind.ESCALATION_OPENED,
    Kind.TURN_CHANGED: Kind.TURN_ADDED,
    Kind.REPLY_UNREAD_CHANGED: Kind.REPLY_UNREAD,
    Kind.EXAMPLE_CHANGED: Kind.EXAMPLE_PROPOSED,
    Kind.JOB_CHANGED: Kind.JOB_STARTED,
    Kind.REPORT_CHANGED: Kind.REPORT_READY,
    Kind.EXPERIMENT_CHANGED: Kind.EXPERIMENT_STARTED,
    Kind.QUESTION_UNANSWERED_CHANGED: Kind.QUESTION_UNANSWERED,
    Kind.COMPARISON_CHANGED: Kind.COMPARISON_READY,
}
"""From the kind that changes a message to the kind that posted it."""

_UNDER_A_CARD = (
    Kind.ESCALATION_ASSIGNED,
    Kind.ESCALATION_REMINDER,
    Kind.ESCALATION_ON_CALL,
    Kind.ESCALATION_PASSED,
    Kind.TRANSCRIPT,
)
_UNDER: dict[str, Kind] = {
    **HEADS,
    Kind.RELEASED_CHANGED: Kind.RELEASED,
    **dict.fromkeys(_UNDER_A_CARD, Kind.ESCALATION_OPENED),
    Kind.TURN_SNIPPET: Kind.TURN_ADDED,
    Kind.REPORT_TABLES: Kind.REPORT_READY,
    Kind.REPORT_PLOT: Kind.REPORT_READY,
    Kind.REPORT_CHANGES: Kind.REPORT_READY,
    Kind.EXPERIMENT_DIGEST: Kind.EXPERIMENT_STARTED,
    Kind.EXPERIMENT_ALERT: Kind.EXPERIMENT_STARTED,
}


def head_of(row: OutboxMessage) -> tuple[Kind, str] | None:
    """Kind and subject of the message that a row changes or whose thread it belongs to."""
    if row.kind == Kind.TURN_ADDED and "escalation" in row.payload:
        return Kind.ESCALATION_OPENED, row.payload["escalation"]
    head = _UNDER.get(row.kind)
    return (head, row.subject) if head else None
