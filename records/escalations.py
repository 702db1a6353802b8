"""Escalations: a conversation is handed to a person, who takes it over and speaks.

How one ends stands in `endings`, what agents agree on among themselves in `handling`. Each change
locks the conversation before it looks: of two agents one gets it, and a turn that is being written
is either in the transcript or shown after it.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import (
    audit,
    conversations,
    events,
    handle_time,
    outbox,
    transcripts,
)
from records.errors import Conflict, Forbidden, NotFound
from records.ids import utc_now
from records.messages import Role
from records.states import (
    ConversationState,
    EscalationReason,
    EscalationState,
    EventKind,
)
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
        Conflict: a colleague tries a version there; no customer waits.
    """
    conversation = conversations.get(session, conversation_id, lock=True)
    if conversation.trial:
        raise Conflict("A colleague tries a version there: no customer waits for a person.")
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
    transcripts.show(session, escalation)
    return escalation


def escalate_flagged(session: Session, flag: Flag) -> Escalation | None:
    """Hand a conversation to a person because an agent says that it should have been.

    None where the flag does not say so, where a person has seen the conversation already, or where
    no customer waits because a colleague tried a version.
    """
    if not flag.should_escalate:
        return None
    turn = conversations.turn(session, flag.turn_id)
    if conversations.get(session, turn.conversation_id).trial:
        return None
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


def take_over(
    session: Session,
    escalation_id: str,
    *,
    agent: str,
    instead_of: str | None = None,
    asked_at: datetime | None = None,
) -> Escalation:
    """Make an agent the one who speaks to the customer. Doing it twice is doing it once.

    What another agent has is theirs until the one whom they asked takes it over, or somebody who
    says whom they follow (`instead_of`: the owner is ill, say). The owner is told. `asked_at` is
    when the agent pressed, by the clock that stamps what they write: from then on it is said.

    Raises:
        Conflict: another agent has it, or it is resolved.
    """
    escalation, conversation = locked(session, escalation_id)
    require_unresolved(escalation)
    former = escalation.owner
    if former == agent:
        return escalation
    if former is not None and agent != escalation.assignee and former != instead_of:
        raise Conflict(f"<@{former}> has already taken this over.")
    now = utc_now()
    handle_time.end_pause(escalation, now)
    escalation.owner, escalation.assignee = agent, None
    escalation.taken_at = escalation.taken_at or now
    escalation.state = EscalationState.TAKEN
    conversation.state, conversation.owner = ConversationState.WITH_AGENT, agent
    tell_change(
        session,
        escalation,
        EventKind.TAKEN,
        agent=agent,
        action="take_over",
        former=former,
        asked_at=asked_at.isoformat() if asked_at else None,
    )
    if former is None:
        _hurry(session, escalation)
    else:
        number = outbox.next_revision(session, outbox.Kind.ESCALATION_PASSED, escalation.id)
        outbox.put(
            session,
            outbox.Kind.ESCALATION_PASSED,
            escalation.id,
            revision=number,
            owner=agent,
            former=former,
        )
    return escalation


def _hurry(session: Session, escalation: Escalation) -> None:
    """Let its card and transcript go first: what is said from now on must not overtake them."""
    turns = conversations.history(session, escalation.conversation_id)
    outbox.hurry(session, [escalation.id, *(turn.id for turn in turns)])


def reply(
    session: Session, escalation_id: str, *, agent: str, content: str, source_key: str
) -> Turn:
    """An agent's words to the customer; only the owner's reach them.

    Words from a source that is recorded already are not said again, even where the conversation
    is no longer the agent's: who repeats a reply wants to know that it was said. Whoever speaks
    is no longer waiting: a pause ends.

    Raises:
        Conflict: the source is recorded with other words.
        Forbidden: nobody has taken over, or somebody else has.
    """
    escalation, conversation = locked(session, escalation_id)
    known = conversations.turn_from(session, source_key)
    if known is not None:
        said = (known.content, known.original)
        if known.conversation_id != conversation.id or content not in said:
            raise Conflict("A reply with this id is recorded with other words. Use a new id.")
        return known
    require_owner(escalation, agent, "write to the customer")
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
    if handle_time.end_pause(escalation, utc_now()):
        show_change(session, escalation)
    if conversations.written_in_slack(source_key):
        outbox.put(session, outbox.Kind.REPLY_WAITING, turn.id)
    return turn


def typing(session: Session, escalation_id: str, *, agent: str, now: datetime) -> bool:
    """The owner is writing; False where that was noted a moment ago.

    Raises:
        Forbidden: nobody has taken over, or somebody else has.
    """
    escalation, conversation = locked(session, escalation_id)
    require_owner(escalation, agent, "write to the customer")
    newest = events.last(session, conversation.id)
    if newest is not None and newest.kind is EventKind.TYPING:
        age = now - newest.created_at  # negative where the clock was set back
        if timedelta() <= age < timedelta(seconds=_TYPING_SECONDS):
            return False
    events.note(session, conversation.id, EventKind.TYPING, at=now, agent=agent)
    return True


def locked(session: Session, escalation_id: str) -> tuple[Escalation, Conversation]:
    """An escalation and its conversation, which is locked first, as everywhere.

    Raises:
        NotFound: no such id.
    """
    conversation_id = get(session, escalation_id).conversation_id
    conversation = conversations.get(session, conversation_id, lock=True)
    return get(session, escalation_id, lock=True), conversation


def require_owner(escalation: Escalation, agent: str, what: str) -> None:
    """See that an agent is the one who speaks with the customer.

    Raises:
        Forbidden: nobody has taken over, or somebody else has.
    """
    if escalation.state is not EscalationState.TAKEN or escalation.owner != agent:
        raise Forbidden(f"Only the agent who has taken this over can {what}.")


def require_unresolved(escalation: Escalation) -> None:
    """See that an escalation goes on.

    Raises:
        Conflict: it is resolved.
    """
    if escalation.state is EscalationState.RESOLVED:
        raise Conflict("This escalation is resolved already.")


def require_hold(escalation: Escalation, agent: str, what: str) -> None:
    """See that an agent has taken an escalation over.

    Raises:
        Conflict: it is resolved, or nobody has.
        Forbidden: another agent has.
    """
    require_unresolved(escalation)
    if escalation.owner is None:
        raise Conflict(f"Take this over first: only the one who has it can {what}.")
    if escalation.owner != agent:
        raise Forbidden(f"Only <@{escalation.owner}>, who has taken this over, can {what}.")


def tell_change(
    session: Session,
    escalation: Escalation,
    kind: EventKind,
    *,
    agent: str,
    action: str,
    **detail: str | None,
) -> None:
    """Tell of a change: to the customer, who is shown no detail, to Slack, and in the audit."""
    known = {name: value for name, value in detail.items() if value is not None}
    audit.note(session, actor=agent, action=action, subject=escalation.id, **known)
    about: dict[str, Any] = {"escalation": escalation.id, "agent": agent, **known}
    events.note(session, escalation.conversation_id, kind, **about)
    show_change(session, escalation)


def show_change(session: Session, escalation: Escalation) -> None:
    """Bring the card up to date; its row must be locked."""
    number = outbox.next_revision(session, outbox.Kind.ESCALATION_CHANGED, escalation.id)
    outbox.put(session, outbox.Kind.ESCALATION_CHANGED, escalation.id, revision=number)


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
