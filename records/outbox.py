"""Messages for Slack, written in the transaction of what they tell about.

Rows say *what happened*; the bot renders them at the time of sending. A row being sent is
first marked `sending`: after a crash the bot asks Slack whether that message arrived before it
sends again.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, case, func, select, update
from sqlalchemy.orm import Session, aliased

from records.ids import utc_now
from records.states import OutboxState, Urgency
from records.tables import OutboxMessage

_WAITING = (OutboxState.PENDING, OutboxState.SENDING)


class Kind(StrEnum):
    """What a message to Slack tells."""

    ESCALATION_OPENED = "escalation_opened"
    """Post the card; the transcript follows as `TURN_ADDED`. Subject: escalation."""
    ESCALATION_CHANGED = "escalation_changed"
    """Bring the card up to date. Subject: escalation."""
    ESCALATION_ASSIGNED = "escalation_assigned"
    """Ask somebody in the thread to take over. Subject: escalation. Payload: assignee, by."""
    ESCALATION_REMINDER = "escalation_reminder"
    """Nobody has taken over for too long: say so in the thread. Subject: escalation."""
    ESCALATION_ON_CALL = "escalation_on_call"
    """Still nobody: ping those who are on call. Subject: escalation. Payload: told_in (the
    escalation in whose thread they are pinged for this one too), if there is such a one."""
    ESCALATION_PASSED = "escalation_passed"
    """Another agent speaks with the customer now: tell the one who did. Subject: escalation.
    Payload: owner, former."""
    TRANSCRIPT = "transcript"
    """What was said long before an escalation, as one file. Subject: escalation. Payload: before
    (the position up to which)."""
    TURN_ADDED = "turn_added"
    """A turn of an unresolved escalation, for its thread. Subject: turn. Payload: escalation."""
    TURN_SNIPPET = "turn_snippet"
    """The whole of a turn that is too long for its message, as a file. Subject: turn."""
    TURN_CHANGED = "turn_changed"
    """Bring a turn's message up to date (it was flagged). Subject: turn."""
    REPLY_WAITING = "reply_waiting"
    """An agent's words are recorded and on their way: show so. Subject: turn."""
    MESSAGE_INTERNAL = "message_internal"
    """A message in an escalation's thread that stays among colleagues: show so. Subject:
    escalation. Payload: channel, ts."""
    REPLY_RELAYED = "reply_relayed"
    """The customer has an agent's words: confirm so. Subject: turn."""
    REPLY_TAKEN_BACK = "reply_taken_back"
    """An agent took words back: what stands on them says nothing more. Subject: turn."""
    REPLY_UNREAD = "reply_unread"
    """An agent's words have not reached the customer for too long: offer *Retry*. Subject: turn."""
    REPLY_UNREAD_CHANGED = "reply_unread_changed"
    """Bring that message up to date. Subject: turn."""
    FLAG_FIXED = "flag_fixed"
    """A version that answers rightly now is promoted: before and after, in the flag's thread.
    Subject: flag. Payload: version."""
    EXAMPLE_PROPOSED = "example_proposed"
    """An example waits for approval. Subject: example."""
    EXAMPLES_IMPORTED = "examples_imported"
    """An import brought examples that wait in App Home. Subject: assistant. Payload: number."""
    EXAMPLE_CHANGED = "example_changed"
    """Bring the example's card up to date. Subject: example."""
    JOB_STARTED = "job_started"
    """Post the one message that shows a job. Subject: job."""
    JOB_CHANGED = "job_changed"
    """Bring it up to date. Subject: job."""
    REPORT_READY = "report_ready"
    """Post the report with its verdict and buttons. Subject: report."""
    REPORT_CHANGED = "report_changed"
    """Bring its buttons up to date. Subject: report."""
    REPORT_TABLES = "report_tables"
    """Add the report's tables to its thread. Subject: report."""
    REPORT_PLOT = "report_plot"
    """Add the plot to the report's thread (the bot puts it when the report stands there)."""
    REPORT_CHANGES = "report_changes"
    """Add the file of changed answers to the report's thread. Subject: report."""
    EXPERIMENT_STARTED = "experiment_started"
    """Post the one message that shows an experiment. Subject: experiment."""
    EXPERIMENT_CHANGED = "experiment_changed"
    """Bring it up to date. Subject: experiment."""
    EXPERIMENT_DIGEST = "experiment_digest"
    """How it stands, once a day. Subject: experiment."""
    EXPERIMENT_ALERT = "experiment_alert"
    """A guardrail tripped, or the evidence is in. Subject: experiment. Payload: alert, sentence."""
    QUESTION_UNANSWERED = "question_unanswered"
    """A colleague's question to a version was not answered: offer to ask again. Subject: turn.
    Payload: reason, times (how often it had failed before), channel, thread_ts."""
    QUESTION_UNANSWERED_CHANGED = "question_unanswered_changed"
    """Bring that message up to date. Subject: turn."""
    COMPARISON_READY = "comparison_ready"
    """Two versions have answered a colleague: ask which is better. Subject: the first's question.
    Payload: channel, thread_ts."""
    COMPARISON_CHANGED = "comparison_changed"
    """Bring that message up to date. Subject: turn."""
    VERSION_REFUSED = "version_refused"
    """A gateway does not serve a version that it should. Subject: version. Payload: reason."""
    RELEASED = "released"
    """A version was promoted or rolled back. Subject: version. Payload: release id."""
    RELEASED_CHANGED = "released_changed"
    """Another version serves since: bring that message up to date. Subject, payload: the same."""


def put(
    session: Session,
    kind: Kind,
    subject: str,
    *,
    revision: int | str = "",
    urgency: Urgency = Urgency.NOW,
    **payload: Any,
) -> None:
    """Queue a message; a second one of the same kind, subject and revision is not queued."""
    key = f"{kind}:{subject}:{revision}"
    known = session.scalar(select(OutboxMessage.id).where(OutboxMessage.key == key))
    if known is None:
        row = OutboxMessage(key=key, kind=kind, subject=subject, urgency=urgency, payload=payload)
        session.add(row)
        session.flush()


def next_revision(session: Session, kind: Kind, subject: str) -> int:
    """The number of a change that may happen again to its subject, which the caller has locked."""
    known = select(func.count()).where(OutboxMessage.kind == kind, OutboxMessage.subject == subject)
    return session.scalar(known) or 0


def hurry(session: Session, subjects: Collection[str]) -> None:
    """Let what waits to be told of these go first, in its order: somebody acts on it now."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.subject.in_(subjects),
            OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING]),
        )
        .values(urgency=Urgency.NOW)
    )


def due(session: Session, *, limit: int = 50) -> list[OutboxMessage]:
    """Messages that wait to be sent or whose sending was cut off: urgent ones, then older ones."""
    return list(
        session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING]))
            .order_by(OutboxMessage.urgency, OutboxMessage.id)
            .limit(limit)
        )
    )


def waiting(session: Session) -> list[int]:
    """Ids of all that waits to be sent, in the order of sending."""
    return list(
        session.scalars(
            select(OutboxMessage.id)
            .where(OutboxMessage.state.in_(_WAITING))
            .order_by(OutboxMessage.urgency, OutboxMessage.id)
        )
    )


def load(session: Session, ids: Sequence[int]) -> list[OutboxMessage]:
    """Rows by id."""
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))))


def state_of(session: Session, kind: Kind, subject: str) -> OutboxState | None:
    """How far the newest message of that kind about that subject is; None where there is none."""
    return session.scalar(
        select(OutboxMessage.state)
        .where(OutboxMessage.kind == kind, OutboxMessage.subject == subject)
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )


def mark_sending(session: Session, row: OutboxMessage, *, channel: str) -> bool:
    """Note that sending begins; whoever finds it so after a crash must ask Slack first.

    Args:
        session: The caller's.
        row: As it was read before.
        channel: The id of the channel that it goes to.

    Returns:
        False, and nothing is noted, where the row isn't as it was: another one has sent it, or is
        sending it.
    """
    same = OutboxMessage.state == row.state, OutboxMessage.attempts == row.attempts
    known = aliased(OutboxMessage)
    newest = select(func.max(known.ts)).where(known.channel == channel).scalar_subquery()
    done = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == row.id, OutboxMessage.state.in_(_WAITING), *same)
        .values(state=OutboxState.SENDING, attempts=row.attempts + 1, begun_after=newest)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount == 1


def mark_sent(
    session: Session,
    message_id: int,
    *,
    channel: str | None,
    ts: str | None,
    team: str | None = None,
) -> None:
    """Note where the message stands in Slack."""
    row = session.get_one(OutboxMessage, message_id)
    row.state, row.channel, row.ts, row.sent_at = OutboxState.SENT, channel, ts, utc_now()
    row.team, row.error = team, None


def settle(session: Session, ids: Sequence[int]) -> None:
    """Note that nothing is to be shown, or that it is shown, of messages that have no place."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(ids))
        .values(state=OutboxState.SENT, sent_at=utc_now(), error=None)
    )


def mark_gone(session: Session, *, channel: str, ts: str) -> None:
    """Note that somebody deleted a message in Slack: it is not brought up to date any more."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.channel == channel, OutboxMessage.ts == ts)
        .values(gone_at=utc_now())
    )


def mark_pending(session: Session, row: OutboxMessage, *, error: str) -> None:
    """Sending did not happen; it will be tried again, unless another one has begun to meanwhile."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == row.id,
            OutboxMessage.state.in_(_WAITING),
            OutboxMessage.attempts == row.attempts,
        )
        .values(state=OutboxState.PENDING, error=error)
        .execution_options(synchronize_session=False)
    )


def mark_failed(session: Session, message_id: int, *, error: str) -> None:
    """Sending can't succeed; it is not tried again and shows in the log."""
    row = session.get_one(OutboxMessage, message_id)
    row.state, row.error = OutboxState.FAILED, error


def message_of(session: Session, kind: Kind, subject: str) -> OutboxMessage | None:
    """The sent message of that kind about that subject, to be updated or answered in its thread."""
    return session.scalar(
        select(OutboxMessage)
        .where(
            OutboxMessage.kind == kind,
            OutboxMessage.subject == subject,
            OutboxMessage.state == OutboxState.SENT,
        )
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )


def shown(session: Session, kind: Kind, subject: str) -> list[OutboxMessage]:
    """All messages of that kind about that subject that stand in Slack, oldest first."""
    return list(
        session.scalars(
            select(OutboxMessage)
            .where(
                OutboxMessage.kind == kind,
                OutboxMessage.subject == subject,
                OutboxMessage.state == OutboxState.SENT,
                OutboxMessage.ts.is_not(None),
                OutboxMessage.gone_at.is_(None),
            )
            .order_by(OutboxMessage.id)
        )
    )


def find(session: Session, *, channel: str, ts: str) -> OutboxMessage | None:
    """What a message in Slack is about."""
    return session.scalar(
        select(OutboxMessage).where(OutboxMessage.channel == channel, OutboxMessage.ts == ts)
    )


def failed(session: Session) -> list[OutboxMessage]:
    """Messages that were given up, oldest first."""
    return list(
        session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.FAILED)
            .order_by(OutboxMessage.id)
        )
    )


def troubled(session: Session) -> list[OutboxMessage]:
    """Messages that were given up, and those that wait because something failed; oldest first."""
    waits = (OutboxMessage.state == OutboxState.PENDING) & OutboxMessage.error.is_not(None)
    return list(
        session.scalars(
            select(OutboxMessage)
            .where((OutboxMessage.state == OutboxState.FAILED) | waits)
            .order_by(OutboxMessage.id)
        )
    )


def retry(session: Session, ids: Sequence[int]) -> int:
    """Let messages that were given up wait to be sent again; how many there were.

    One whose sending was begun is looked for in Slack before it is sent again.
    """
    again = case((OutboxMessage.attempts > 0, OutboxState.SENDING), else_=OutboxState.PENDING)
    done = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(ids), OutboxMessage.state == OutboxState.FAILED)
        .values(state=again, error=None)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount
