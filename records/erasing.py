"""Taking a customer's words out of the rows that hold them (`reached.py`), and what is left there.

Rows stay where figures are made of them (turns, escalations, flags, outcomes): without words,
without the customer's name and the caller's own names for things. So versions and experiments keep
their counts, and the audit its subjects. Nothing here knows of files: see `tuning/erasure/`.
"""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from records import audit, events, jobs, outbox
from records.database import lock_assistant
from records.errors import Conflict, NotFound
from records.outbox import Kind
from records.reached import Reached, distinct, in_parts, shown_in_slack, values_of
from records.states import (
    ConversationState,
    EscalationState,
    EventKind,
    ExampleState,
    OutboxState,
)
from records.tables import (
    Answer,
    Conversation,
    Doubt,
    Erasure,
    Escalation,
    Example,
    Fix,
    Flag,
    OutboxMessage,
    Outcome,
    ShadowAnswer,
    Table,
    Turn,
    Version,
)

ERASED = "(erased)"
"""What stands where words are wanted."""
_UNREAD = {"synchronize_session": False}
"""No row that is changed as one of many is in the session's memory."""
_CHANGES: dict[str, Kind] = {
    Kind.ESCALATION_OPENED: Kind.ESCALATION_CHANGED,
    Kind.TURN_ADDED: Kind.TURN_CHANGED,
    Kind.REPLY_UNREAD: Kind.REPLY_UNREAD_CHANGED,
    Kind.EXAMPLE_PROPOSED: Kind.EXAMPLE_CHANGED,
    Kind.QUESTION_UNANSWERED: Kind.QUESTION_UNANSWERED_CHANGED,
    Kind.COMPARISON_READY: Kind.COMPARISON_CHANGED,
}
"""From the kind of a message that shows words to the kind that brings it up to date."""


def customer_hash(customer: str, *, key: str) -> str:
    """What an erasure keeps of a customer's name: HMAC-SHA-256 under a key of this machine's."""
    return hmac.new(key.encode(), customer.encode(), hashlib.sha256).hexdigest()


def begin(session: Session, hashed: str, *, actor: str) -> Erasure:
    """The customer's unfinished erasure, or a new one."""
    unfinished = select(Erasure).where(
        Erasure.customer_hash == hashed, Erasure.finished_at.is_(None)
    )
    known = session.scalar(unfinished.order_by(Erasure.created_at).limit(1))
    if known is not None:
        return known
    erasure = Erasure(customer_hash=hashed, requested_by=actor, subjects=Reached().dumped())
    session.add(erasure)
    session.flush()
    audit.note(session, actor=actor, action="erase_customer", subject=erasure.id)
    return erasure


def get(session: Session, erasure_id: str) -> Erasure:
    """One erasure.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Erasure, erasure_id)
    if found is None:
        raise NotFound(f"No erasure {erasure_id!r}. Its id is printed by: understudy erase")
    return found


def require_no_job(session: Session, assistants: Collection[str]) -> None:
    """See that nobody trains on the words meanwhile; no job can begin until this transaction ends.

    Raises:
        Conflict: a retraining waits or runs.
    """
    for assistant in sorted(assistants):
        lock_assistant(session, assistant)
        active = jobs.active_of(session, assistant)
        if active is not None:
            raise Conflict(
                f"A retraining of {assistant!r} is {active.state} ({active.id}) and may hold these "
                f"words. Wait for its end, or end it: understudy cancel {active.id}. Then erase."
            )


def blank(
    session: Session,
    reached: Reached,
    customer: str,
    *,
    actor: str,
    at: datetime,
    in_slack: bool = False,
) -> dict[str, int]:
    """Take the words out of all these rows, and end what is open; returns how many rows of each.

    The caller has locked the conversations before it looked. With `in_slack` the bot is told to
    take the words out of its own messages, too.
    """
    _settle(session, reached)
    counts = {
        "conversations": _close(session, reached, actor=actor, at=at),
        "turns": _blank_turns(session, reached, at=at),
        "escalations": _change(
            session, Escalation, Escalation.id, reached.escalations, cause=ERASED, note=None
        ),
        "flags": _change(session, Flag, Flag.id, reached.flags, correction=None, note=None),
        "fixes": _change(session, Fix, Fix.flag_id, reached.flags, answer=""),
        "shadow answers": _remove(session, ShadowAnswer, ShadowAnswer.turn_id, reached.turns),
        "outcomes": _blank_outcomes(session, reached, customer),
        "doubts": _remove(session, Doubt, Doubt.example_id, reached.examples)
        + _remove(session, Doubt, Doubt.other_id, reached.examples),
        "cached answers": _forget_answers(session, reached),
        "examples": _blank_examples(session, reached, customer),
    }
    if in_slack:
        counts["messages in Slack"] = _tell_slack(session, reached)
    return counts


def finish(session: Session, erasure_id: str, *, counts: dict[str, int], at: datetime) -> None:
    """Note that nothing is left to be done."""
    erasure = get(session, erasure_id)
    erasure.counts = {**erasure.counts, **counts}
    erasure.finished_at = at


def _close(session: Session, reached: Reached, *, actor: str, at: datetime) -> int:
    """End what is open: the customer's client is told so, nobody need answer any more."""
    for ids in in_parts(reached.escalations):
        waiting = select(Escalation).where(
            Escalation.id.in_(ids), Escalation.state != EscalationState.RESOLVED
        )
        for escalation in session.scalars(waiting):
            escalation.state, escalation.resolved_at = EscalationState.RESOLVED, at
            escalation.resolved_by = actor
            events.note(
                session,
                escalation.conversation_id,
                EventKind.RESOLVED,
                escalation=escalation.id,
            )
    gone = {"key": None, "customer": None, "state": ConversationState.RESOLVED, "owner": None}
    return _change(session, Conversation, Conversation.id, reached.conversations, **gone)


def _blank_turns(session: Session, reached: Reached, *, at: datetime) -> int:
    gone = {
        "content": "",
        "withheld": None,
        "original": None,
        "removed_at": func.coalesce(Turn.removed_at, at),
    }
    return _change(session, Turn, Turn.id, reached.turns, **gone)


def _blank_outcomes(session: Session, reached: Reached, customer: str) -> int:
    """The reporter's name for an outcome stays, so that it isn't added again, unless it tells."""
    ids = [int(name) for name in reached.outcomes]
    for part in in_parts(ids):
        for row in session.scalars(select(Outcome).where(Outcome.id.in_(part))):
            row.customer, row.comment = None, None
            row.key = f"erased:{row.id}" if customer in row.key else row.key
    return len(ids)


def _blank_examples(session: Session, reached: Reached, customer: str) -> int:
    """What an example was made from stays, so that it isn't made again, unless it tells."""
    for part in in_parts(reached.examples):
        for row in session.scalars(select(Example).where(Example.id.in_(part))):
            row.prompt = [{"role": "customer", "content": ""}]
            row.chosen, row.rejected, row.slice, row.origin = "", None, {}, {}
            row.customer, row.decision_note = None, None
            row.state = ExampleState.ERASED
            row.key = f"erased:{row.id}" if customer in row.key else row.key
    return len(reached.examples)


def _forget_answers(session: Session, reached: Reached) -> int:
    """What versions said to frozen cases and to questions of examples; which is which is hashed.

    So all are forgotten that were given since the first of the examples; they can be asked again.
    """
    found: set[datetime] = set()
    for part in in_parts(reached.examples):
        first = select(func.min(Example.created_at)).where(Example.id.in_(part))
        found |= distinct(session, first)
    if not found:
        return 0
    began = min(found)
    versions = values_of(session, Version.id, Version.assistant, reached.assistants)
    return _remove(session, Answer, Answer.version, sorted(versions), Answer.created_at >= began)


def _settle(session: Session, reached: Reached) -> None:
    """Let the bot say nothing more of what was not said yet."""
    for ids in in_parts(sorted(reached.subjects)):
        session.execute(
            delete(OutboxMessage).where(
                OutboxMessage.subject.in_(ids),
                OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.FAILED]),
            )
        )


def _tell_slack(session: Session, reached: Reached) -> int:
    """Have messages made anew from rows that hold no words any more; how many."""
    shown = [row for row in shown_in_slack(session, reached) if row.kind in _CHANGES]
    for kind, subject in {(_CHANGES[row.kind], row.subject) for row in shown}:
        outbox.put(session, kind, subject, revision="erased")
    return len(shown)


def _change(
    session: Session,
    table: type[Table],
    column: "InstrumentedAttribute[Any]",
    ids: Collection[Any],
    **values: Any,
) -> int:
    changed = 0
    for part in in_parts(ids):
        done = session.execute(
            update(table).where(column.in_(part)).values(**values), execution_options=_UNREAD
        )
        assert isinstance(done, CursorResult)
        changed += done.rowcount
    return changed


def _remove(
    session: Session,
    table: type[Table],
    column: "InstrumentedAttribute[Any]",
    ids: Collection[Any],
    *conditions: ColumnElement[bool],
) -> int:
    removed = 0
    for part in in_parts(ids):
        done = session.execute(
            delete(table).where(column.in_(part), *conditions), execution_options=_UNREAD
        )
        assert isinstance(done, CursorResult)
        removed += done.rowcount
    return removed
