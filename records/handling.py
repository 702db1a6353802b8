"""What agents agree on among themselves about an escalation: who is asked for it, and pauses.

Nothing here reaches the customer, and nobody's words do because of it.
"""

from sqlalchemy.orm import Session

from records import audit, handle_time, outbox
from records.errors import Conflict, Forbidden, InvalidInput
from records.escalations import locked, require_hold, require_unresolved, show_change
from records.ids import utc_now
from records.tables import Escalation


def assign(session: Session, escalation_id: str, *, agent: str, assignee: str) -> Escalation:
    """Ask a colleague to take an escalation over; asking the same one twice is asking once.

    Who has it keeps it until the colleague takes it over: being asked makes nobody its owner.

    Raises:
        Conflict: it is resolved, or the colleague has it already.
        Forbidden: another agent has it; only they pass it on.
        InvalidInput: an agent asks themselves.
    """
    escalation, _ = locked(session, escalation_id)
    require_unresolved(escalation)
    if escalation.owner == assignee:
        raise Conflict(f"<@{assignee}> has already taken this over.")
    if escalation.owner is not None and escalation.owner != agent:
        raise Forbidden(f"Only <@{escalation.owner}>, who has taken this over, can pass it on.")
    if assignee == agent:
        raise InvalidInput("That is you: press Take over instead.", field="assignee")
    if escalation.assignee == assignee:
        return escalation
    escalation.assignee = assignee
    audit.note(session, actor=agent, action="assign", subject=escalation.id, assignee=assignee)
    number = outbox.next_revision(session, outbox.Kind.ESCALATION_ASSIGNED, escalation.id)
    outbox.put(
        session,
        outbox.Kind.ESCALATION_ASSIGNED,
        escalation.id,
        revision=number,
        assignee=assignee,
        by=agent,
    )
    show_change(session, escalation)
    return escalation


def pause(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Stop the clock of the handling time: the owner waits for something else.

    It runs again when they resume or reply. What the customer writes does not start it: the owner
    reads that in the thread, and decides.

    Raises:
        Conflict: it is resolved, or nobody has it.
        Forbidden: another agent has it.
    """
    escalation, _ = locked(session, escalation_id)
    require_hold(escalation, agent, "pause it")
    if escalation.paused_at is None:
        handle_time.begin_pause(escalation, utc_now())
        audit.note(session, actor=agent, action="pause", subject=escalation.id)
        show_change(session, escalation)
    return escalation


def resume(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Let the clock of the handling time run again.

    Raises:
        Conflict: it is resolved, or nobody has it.
        Forbidden: another agent has it.
    """
    escalation, _ = locked(session, escalation_id)
    require_hold(escalation, agent, "resume it")
    if handle_time.end_pause(escalation, utc_now()):
        audit.note(session, actor=agent, action="resume", subject=escalation.id)
        show_change(session, escalation)
    return escalation
