"""Escalations: a conversation is handed to a person, taken over, resolved."""

from sqlalchemy.orm import Session

from records import audit, conversations, learning, outbox
from records.errors import Conflict, Forbidden, NotFound
from records.ids import utc_now
from records.messages import Role
from records.states import ConversationState, EscalationReason, EscalationState
from records.tables import Escalation, Turn


def get(session: Session, escalation_id: str, *, lock: bool = False) -> Escalation:
    """One escalation; with `lock`, of two transactions at once the second waits for the first.

    Raises:
        NotFound: no such id.
    """
    if lock:
        session.flush()  # what is read anew must not undo what waits to be written
    found = session.get(
        Escalation, escalation_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if found is None:
        raise NotFound(f"No escalation {escalation_id!r}.")
    return found


def escalate(
    session: Session,
    conversation_id: str,
    *,
    reason: EscalationReason,
    cause: str,
    turn_id: str | None = None,
) -> Escalation:
    """Hand a conversation to a person; one that waits for a person already stays as it is."""
    known = conversations.open_escalation(session, conversation_id)
    if known is not None:
        return known
    conversation = conversations.get(session, conversation_id)
    conversation.state = ConversationState.ESCALATED
    escalation = Escalation(
        conversation_id=conversation_id, turn_id=turn_id, reason=reason, cause=cause
    )
    session.add(escalation)
    session.flush()
    outbox.put(
        session,
        outbox.Kind.ESCALATION_OPENED,
        escalation.id,
        urgency=conversations.urgency_of(escalation),
    )
    for turn in conversations.history(session, conversation_id):
        conversations.show_turn(session, turn, escalation)
    return escalation


def take_over(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Make an agent the one who speaks to the customer. Doing it twice is doing it once.

    Raises:
        Conflict: another agent has it, or it is resolved.
    """
    escalation = get(session, escalation_id, lock=True)
    if escalation.state is EscalationState.RESOLVED:
        raise Conflict("This escalation is resolved already.")
    if escalation.owner is not None and escalation.owner != agent:
        raise Conflict(f"<@{escalation.owner}> has already taken this over.")
    if escalation.owner is None:
        escalation.owner, escalation.taken_at = agent, utc_now()
        escalation.state = EscalationState.TAKEN
        conversation = conversations.get(session, escalation.conversation_id)
        conversation.state, conversation.owner = ConversationState.WITH_AGENT, agent
        audit.note(session, actor=agent, action="take_over", subject=escalation_id)
        outbox.put(session, outbox.Kind.ESCALATION_CHANGED, escalation_id, revision="taken")
    return escalation


def reply(
    session: Session, escalation_id: str, *, agent: str, content: str, source_key: str
) -> Turn:
    """An agent's words to the customer; only the owner's reach them.

    Raises:
        Forbidden: nobody has taken over, or somebody else has.
    """
    escalation = get(session, escalation_id, lock=True)
    if escalation.state is not EscalationState.TAKEN or escalation.owner != agent:
        raise Forbidden("Only the agent who has taken this over can write to the customer.")
    turn = conversations.add_turn(
        session,
        Turn(
            conversation_id=escalation.conversation_id,
            role=Role.AGENT,
            content=content,
            author=agent,
            source_key=source_key,
        ),
    )
    outbox.put(session, outbox.Kind.REPLY_RELAYED, turn.id)
    return turn


def resolve(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Give the conversation back to the assistant and propose the agent's reply as an example.

    Raises:
        Conflict: it is resolved already, or not taken over yet.
        Forbidden: another agent has it.
    """
    escalation = get(session, escalation_id, lock=True)
    if escalation.state is EscalationState.RESOLVED:
        raise Conflict("This escalation is resolved already.")
    if escalation.owner is None:
        raise Conflict("Take this over first: an escalation is resolved by the one who has it.")
    if escalation.owner != agent:
        raise Forbidden(f"Only <@{escalation.owner}>, who has taken this over, can resolve it.")
    escalation.state, escalation.resolved_at = EscalationState.RESOLVED, utc_now()
    conversation = conversations.get(session, escalation.conversation_id)
    conversation.state, conversation.owner = ConversationState.RESOLVED, None
    taken_at = escalation.taken_at or escalation.opened_at
    conversations.report_outcome(
        session,
        conversation_id=conversation.id,
        metric="handle_minutes",
        value=(escalation.resolved_at - taken_at).total_seconds() / 60,
        key=f"handle:{escalation_id}",
    )
    audit.note(session, actor=agent, action="resolve", subject=escalation_id)
    learning.propose_from_reply(session, escalation, agent=agent)
    outbox.put(session, outbox.Kind.ESCALATION_CHANGED, escalation_id, revision="resolved")
    return escalation


def find_for_thread(session: Session, *, channel: str, thread_ts: str) -> Escalation:
    """The escalation whose card heads a Slack thread.

    Raises:
        NotFound: the thread is about something else.
    """
    card = outbox.find(session, channel=channel, ts=thread_ts)
    if card is None or card.kind != outbox.Kind.ESCALATION_OPENED:
        raise NotFound("This thread is not about an escalation.")
    return get(session, card.subject)
