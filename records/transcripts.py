"""What was said before an escalation and since, and how much of it its thread in Slack shows.

By positions, never by times: a clock that is set back must not make a reply older than its
question.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, outbox
from records.messages import Role
from records.states import EventKind
from records.tables import ConversationEvent, Escalation, Turn

SHOWN_TURNS = 6
"""So many of the last turns get messages of their own; Slack takes one message a second."""


def opened_after(session: Session, escalation: Escalation) -> int:
    """The position of the last turn before an escalation was opened; -1 where there was none."""
    events = session.scalars(
        select(ConversationEvent)
        .where(
            ConversationEvent.conversation_id == escalation.conversation_id,
            ConversationEvent.kind == EventKind.ESCALATED,
        )
        .order_by(ConversationEvent.seq)
    )
    found = [e.position for e in events if e.detail.get("escalation") == escalation.id]
    return found[0] if found else _by_time(session, escalation)


def _by_time(session: Session, escalation: Escalation) -> int:
    """The same for an escalation from before events were kept."""
    turns = conversations.history(session, escalation.conversation_id)
    return max((t.position for t in turns if t.created_at <= escalation.opened_at), default=-1)


def led_here(session: Session, escalation: Escalation) -> list[Turn]:
    """What had been said when a person was asked for, up to the answer that led to it."""
    turns = conversations.history(session, escalation.conversation_id)
    cause = [turn.position for turn in turns if turn.id == escalation.turn_id]
    last = cause[0] if cause else opened_after(session, escalation)
    return [turn for turn in turns if turn.position <= last]


def asked(said: Sequence[Turn]) -> str:
    """What the customer last wrote; empty where they wrote nothing."""
    return next((turn.content for turn in reversed(said) if turn.role is Role.CUSTOMER), "")


def wrote_again(session: Session, escalation: Escalation) -> Turn | None:
    """What the customer last wrote since an escalation was opened."""
    return session.scalar(
        select(Turn)
        .where(
            Turn.conversation_id == escalation.conversation_id,
            Turn.role == Role.CUSTOMER,
            Turn.position > opened_after(session, escalation),
        )
        .order_by(Turn.position.desc())
        .limit(1)
    )


def replies(session: Session, escalation: Escalation) -> list[Turn]:
    """What agents have said to the customer since an escalation was opened, and not taken back."""
    opened = opened_after(session, escalation)
    return [
        turn
        for turn in conversations.history(session, escalation.conversation_id)
        if turn.role is Role.AGENT and turn.position > opened and turn.removed_at is None
    ]


def show(session: Session, escalation: Escalation) -> None:
    """Queue what has been said for an escalation's thread: the last turns, older ones as a file.

    The answer that led to the escalation gets a message of its own however old it is: it can be
    flagged there.
    """
    turns = conversations.history(session, escalation.conversation_id, whole=False)
    recent = turns[-SHOWN_TURNS:]
    if len(turns) > len(recent):
        outbox.put(
            session,
            outbox.Kind.TRANSCRIPT,
            escalation.id,
            urgency=conversations.transcript_urgency(escalation),
            before=recent[0].position,
        )
    older_cause = [t for t in turns[:-SHOWN_TURNS] if t.id == escalation.turn_id]
    for turn in [*older_cause, *recent]:
        conversations.show_turn(session, turn, escalation)
