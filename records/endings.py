"""How an escalation ends: resolved, handed back to the assistant, or found to need nobody."""

from sqlalchemy.orm import Session

from records import handle_time, outcomes, replies
from records.errors import Conflict, InvalidInput
from records.escalations import locked, require_hold, require_unresolved, tell_change
from records.ids import utc_now
from records.states import ConversationState, EscalationState, EventKind, Resolution
from records.tables import Conversation, Escalation

SOLVED_BY_PERSON = "solved_by_person"
"""The outcome metric of what agents say when they resolve: 1 for solved, 0 for partly or not."""
_SOLVED = {Resolution.SOLVED: 1.0, Resolution.PARTLY_SOLVED: 0.0, Resolution.NOT_SOLVED: 0.0}


def resolve(
    session: Session,
    escalation_id: str,
    *,
    agent: str,
    resolution: Resolution = Resolution.SOLVED,
    save_example: bool = True,
    right_answer: str | None = None,
    note: str | None = None,
) -> Escalation:
    """Give the conversation back to the assistant; propose an example to learn from.

    Args:
        session: The caller's.
        escalation_id: Which one.
        agent: Who has it.
        resolution: How it ended.
        save_example: Whether an example is proposed, where agents replied.
        right_answer: What it shall teach, as the agent wrote it down; None: the longest reply.
        note: For colleagues.

    Raises:
        Conflict: it is resolved already, or not taken over yet.
        Forbidden: another agent has it.
        InvalidInput: the resolution says that it was handed back.
    """
    if resolution is Resolution.HANDED_BACK:
        raise InvalidInput("Who resolves says how. Hand it back instead.", field="resolution")
    escalation, conversation = locked(session, escalation_id)
    require_hold(escalation, agent, "resolve it")
    _end(escalation, conversation, agent=agent, resolution=resolution)
    escalation.note = note
    _report(session, escalation, conversation)
    tell_change(
        session,
        escalation,
        EventKind.RESOLVED,
        agent=agent,
        action="resolve",
        resolution=resolution,
    )
    if save_example:
        replies.propose_from_reply(session, escalation, agent=agent, words=right_answer)
    return escalation


def _report(session: Session, escalation: Escalation, conversation: Conversation) -> None:
    """Report what the agent's work led to."""
    found = {
        "handle": ("handle_minutes", (handle_time.handled_seconds(escalation) or 0.0) / 60),
        "solved": (SOLVED_BY_PERSON, _SOLVED.get(escalation.resolution or Resolution.SOLVED)),
    }
    for name, (metric, value) in found.items():
        if value is not None:
            key = f"{name}:{escalation.id}"
            outcome = outcomes.of(conversation, key=key, metric=metric, value=value)
            outcomes.report(session, outcome)


def hand_back(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Let the assistant go on: the escalation ends, but nothing is claimed to be solved by it.

    No handling time is reported and no example is proposed. Whoever needs a person again opens a
    new escalation.

    Raises:
        Conflict: it is resolved already, or not taken over yet.
        Forbidden: another agent has it.
    """
    escalation, conversation = locked(session, escalation_id)
    require_hold(escalation, agent, "hand it back")
    _end(escalation, conversation, agent=agent, resolution=Resolution.HANDED_BACK)
    tell_change(session, escalation, EventKind.HANDED_BACK, agent=agent, action="hand_back")
    return escalation


def dismiss(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """End an escalation that nobody has taken over: no person is needed, the assistant goes on.

    Raises:
        Conflict: it is resolved already, or somebody speaks with the customer.
    """
    escalation, conversation = locked(session, escalation_id)
    require_unresolved(escalation)
    if escalation.owner is not None:
        raise Conflict(f"<@{escalation.owner}> has taken this over and speaks with the customer.")
    _end(escalation, conversation, agent=agent, resolution=Resolution.NOT_NEEDED)
    tell_change(session, escalation, EventKind.HANDED_BACK, agent=agent, action="dismiss")
    return escalation


def _end(
    escalation: Escalation, conversation: Conversation, *, agent: str, resolution: Resolution
) -> None:
    now = utc_now()
    handle_time.end_pause(escalation, now)
    escalation.state, escalation.resolved_at = EscalationState.RESOLVED, now
    escalation.resolution, escalation.resolved_by = resolution, agent
    escalation.assignee = None
    by_person = resolution is not Resolution.HANDED_BACK and escalation.owner is not None
    conversation.state = ConversationState.RESOLVED if by_person else ConversationState.OPEN
    conversation.owner = None
