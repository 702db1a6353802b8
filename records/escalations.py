"""Escalations: a conversation is handed to a person, taken over, resolved or handed back.

Each change locks the conversation before it looks: of two agents one gets it, and a turn that is
being written is either in the transcript or shown after it.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, conversations, events, learning, outbox, outcomes
from records.errors import Conflict, Forbidden, NotFound
from records.ids import utc_now
from records.messages import Role
from records.states import ConversationState, EscalationReason, EscalationState, EventKind
from records.tables import Conversation, Escalation, Flag, Turn

_TYPING_SECONDS = 3
"""How often it is noted that an agent goes on typing."""


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
    """Hand a conversation to a person; one that waits for a person already stays as it is.

    Raises:
        NotFound: no such conversation.
    """
    conversation = conversations.get(session, conversation_id, lock=True)
    known = conversations.open_escalation(session, conversation_id)
    if known is not None:
        return known
    conversation.state = ConversationState.ESCALATED
    escalation = Escalation(
        conversation_id=conversation_id, turn_id=turn_id, reason=reason, cause=cause
    )
    session.add(escalation)
    session.flush()
    events.note(
        session, conversation_id, EventKind.ESCALATED, escalation=escalation.id, reason=reason
    )
    outbox.put(
        session,
        outbox.Kind.ESCALATION_OPENED,
        escalation.id,
        urgency=conversations.urgency_of(escalation),
    )
    for turn in conversations.history(session, conversation_id):
        conversations.show_turn(session, turn, escalation)
    return escalation


def escalate_flagged(session: Session, flag: Flag) -> Escalation | None:
    """Hand a conversation to a person because an agent says that it should have been.

    None where the flag does not say so, or where a person has seen the conversation already.
    """
    if not flag.should_escalate:
        return None
    turn = conversations.turn(session, flag.turn_id)
    seen = select(Escalation.id).where(Escalation.conversation_id == turn.conversation_id)
    if session.scalar(seen.limit(1)) is not None:
        return None
    return escalate(
        session,
        turn.conversation_id,
        reason=EscalationReason.FLAG,
        cause=f"<@{flag.agent}> flagged an answer: a person should have been asked.",
        turn_id=turn.id,
    )


def take_over(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Make an agent the one who speaks to the customer. Doing it twice is doing it once.

    Raises:
        Conflict: another agent has it, or it is resolved.
    """
    escalation, conversation = _locked(session, escalation_id)
    if escalation.state is EscalationState.RESOLVED:
        raise Conflict("This escalation is resolved already.")
    if escalation.owner is not None and escalation.owner != agent:
        raise Conflict(f"<@{escalation.owner}> has already taken this over.")
    if escalation.owner is None:
        escalation.owner, escalation.taken_at = agent, utc_now()
        escalation.state = EscalationState.TAKEN
        conversation.state, conversation.owner = ConversationState.WITH_AGENT, agent
        _changed(session, escalation, EventKind.TAKEN, agent=agent, action="take_over")
    return escalation


def reply(
    session: Session, escalation_id: str, *, agent: str, content: str, source_key: str
) -> Turn:
    """An agent's words to the customer; only the owner's reach them.

    Words from a source that is recorded already are not said again, even where the conversation
    is no longer the agent's: who repeats a reply wants to know that it was said.

    Raises:
        Conflict: the source is recorded with other words.
        Forbidden: nobody has taken over, or somebody else has.
    """
    escalation, conversation = _locked(session, escalation_id)
    known = conversations.turn_from(session, source_key)
    if known is not None:
        if (known.conversation_id, known.content) != (conversation.id, content):
            raise Conflict("A reply with this id is recorded with other words. Use a new id.")
        return known
    _require_owner(escalation, agent, "write to the customer")
    turn = conversations.add_turn(
        session,
        Turn(
            conversation_id=conversation.id,
            role=Role.AGENT,
            content=content,
            author=agent,
            source_key=source_key,
        ),
    )
    if conversations.written_in_slack(source_key):
        outbox.put(session, outbox.Kind.REPLY_RELAYED, turn.id)
    return turn


def typing(session: Session, escalation_id: str, *, agent: str, now: datetime) -> bool:
    """The owner is writing; False where that was noted a moment ago.

    Raises:
        Forbidden: nobody has taken over, or somebody else has.
    """
    escalation, conversation = _locked(session, escalation_id)
    _require_owner(escalation, agent, "write to the customer")
    newest = events.last(session, conversation.id)
    if newest is not None and newest.kind is EventKind.TYPING:
        age = now - newest.created_at  # negative where the clock was set back
        if timedelta() <= age < timedelta(seconds=_TYPING_SECONDS):
            return False
    events.note(session, conversation.id, EventKind.TYPING, at=now, agent=agent)
    return True


def resolve(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Give the conversation back to the assistant and propose the agent's reply as an example.

    Raises:
        Conflict: it is resolved already, or not taken over yet.
        Forbidden: another agent has it.
    """
    escalation, conversation = _locked(session, escalation_id)
    _require_to_end(escalation, agent, "resolve it")
    ended_at = _end(escalation, conversation, ConversationState.RESOLVED)
    taken_at = escalation.taken_at or escalation.opened_at
    outcomes.report(
        session,
        outcomes.of(
            conversation,
            key=f"handle:{escalation_id}",
            metric="handle_minutes",
            value=(ended_at - taken_at).total_seconds() / 60,
        ),
    )
    _changed(session, escalation, EventKind.RESOLVED, agent=agent, action="resolve")
    learning.propose_from_reply(session, escalation, agent=agent)
    return escalation


def hand_back(session: Session, escalation_id: str, *, agent: str) -> Escalation:
    """Let the assistant go on: the escalation ends, but nothing is claimed to be solved by it.

    No handling time is reported and no example is proposed. Whoever needs a person again opens a
    new escalation.

    Raises:
        Conflict: it is resolved already, or not taken over yet.
        Forbidden: another agent has it.
    """
    escalation, conversation = _locked(session, escalation_id)
    _require_to_end(escalation, agent, "hand it back")
    _end(escalation, conversation, ConversationState.OPEN)
    _changed(session, escalation, EventKind.HANDED_BACK, agent=agent, action="hand_back")
    return escalation


def _locked(session: Session, escalation_id: str) -> tuple[Escalation, Conversation]:
    """An escalation and its conversation, which is locked first, as everywhere."""
    conversation_id = get(session, escalation_id).conversation_id
    conversation = conversations.get(session, conversation_id, lock=True)
    return get(session, escalation_id, lock=True), conversation


def _require_owner(escalation: Escalation, agent: str, what: str) -> None:
    if escalation.state is not EscalationState.TAKEN or escalation.owner != agent:
        raise Forbidden(f"Only the agent who has taken this over can {what}.")


def _require_to_end(escalation: Escalation, agent: str, what: str) -> None:
    if escalation.state is EscalationState.RESOLVED:
        raise Conflict("This escalation is resolved already.")
    if escalation.owner is None:
        raise Conflict("Take this over first: an escalation is ended by the one who has it.")
    if escalation.owner != agent:
        raise Forbidden(f"Only <@{escalation.owner}>, who has taken this over, can {what}.")


def _end(escalation: Escalation, conversation: Conversation, state: ConversationState) -> datetime:
    ended_at = utc_now()
    escalation.state, escalation.resolved_at = EscalationState.RESOLVED, ended_at
    conversation.state, conversation.owner = state, None
    return ended_at


def _changed(
    session: Session, escalation: Escalation, kind: EventKind, *, agent: str, action: str
) -> None:
    """Tell of a change: to the customer, to Slack, in the audit."""
    audit.note(session, actor=agent, action=action, subject=escalation.id)
    events.note(session, escalation.conversation_id, kind, escalation=escalation.id, agent=agent)
    outbox.put(session, outbox.Kind.ESCALATION_CHANGED, escalation.id, revision=kind)


def latest(session: Session, conversation_id: str) -> Escalation:
    """A conversation's open escalation, or else the last one that was.

    Raises:
        Conflict: nobody has asked for a person there.
    """
    found = conversations.open_escalation(session, conversation_id) or session.scalar(
        select(Escalation)
        .where(Escalation.conversation_id == conversation_id)
        .order_by(Escalation.opened_at.desc(), Escalation.id.desc())
        .limit(1)
    )
    if found is None:
        raise Conflict("Nobody has asked for a person in this conversation. Take it over first.")
    return found


def find_for_thread(session: Session, *, channel: str, thread_ts: str) -> Escalation:
    """The escalation whose card heads a Slack thread.

    Raises:
        NotFound: the thread is about something else.
    """
    card = outbox.find(session, channel=channel, ts=thread_ts)
    if card is None or card.kind != outbox.Kind.ESCALATION_OPENED:
        raise NotFound("This thread is not about an escalation.")
    return get(session, card.subject)
