"""Examples from what agents wrote to customers."""

from collections.abc import Sequence

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from records import conversations, examples, flags, transcripts
from records.messages import Role
from records.states import EventKind, ExampleSource, ExampleState
from records.tables import ConversationEvent, Escalation, Example, Turn


def propose_from_reply(session: Session, escalation: Escalation, *, agent: str) -> Example | None:
    """Propose the agent's replies as the right answer to what the customer asked before them.

    Nothing is proposed where the agent said nothing, or where the answer was flagged with a
    correction already: that correction is the better lesson.
    """
    turns = conversations.history(session, escalation.conversation_id)
    replies = transcripts.replies(session, escalation)
    if not replies:
        return None
    first = replies[0]
    answered = _answer_escalated(escalation, turns, until=first)
    asked = examples.asked(turns, before=answered or first)
    if not asked or (answered is not None and _is_corrected(session, answered)):
        return None
    conversation = conversations.get(session, escalation.conversation_id)
    return examples.propose(
        session,
        Example(
            assistant=conversation.assistant,
            key=f"reply:{escalation.id}",
            source=ExampleSource.REPLY,
            turn_id=first.id,
            conversation_id=conversation.id,
            customer=conversation.customer,
            prompt=examples.to_json(asked),
            chosen="\n".join(t.content for t in replies),
            rejected=answered.content if answered else None,
            should_escalate=False,
            created_by=agent,
            state=ExampleState.PROPOSED,
        ),
    )


def follow(session: Session, turn: Turn) -> None:
    """Let a proposed example follow what its agent changed of the replies since.

    One that somebody edited or decided upon stays as that person saw it.
    """
    proposed = session.execute(
        select(Example, Escalation)
        .join(Escalation, Example.key == literal("reply:") + Escalation.id)
        .where(
            Escalation.conversation_id == turn.conversation_id,
            Example.state == ExampleState.PROPOSED,
            Example.edited_by.is_(None),
        )
    ).all()
    for example, escalation in proposed:
        last = _ended_after(session, escalation)
        left = [t for t in transcripts.replies(session, escalation) if t.position <= last]
        example.chosen = "\n".join(t.content for t in left)
        if not left:
            example.state = ExampleState.SUPERSEDED
        examples.show_change(session, example)


def _ended_after(session: Session, escalation: Escalation) -> int:
    """The position of the last turn before an escalation's end."""
    ends = session.scalars(
        select(ConversationEvent).where(
            ConversationEvent.conversation_id == escalation.conversation_id,
            ConversationEvent.kind.in_([EventKind.RESOLVED, EventKind.HANDED_BACK]),
        )
    )
    noted = (e.position for e in ends if e.detail.get("escalation") == escalation.id)
    return next(noted, -1)


def _is_corrected(session: Session, answer: Turn) -> bool:
    return any(flag.correction is not None for flag in flags.standing(session, answer.id))


def _answer_escalated(escalation: Escalation, turns: Sequence[Turn], *, until: Turn) -> Turn | None:
    """The model's answer that an escalation is about; None where it gave none (engine down)."""
    led_to_it = [t for t in turns if t.id == escalation.turn_id]
    before = led_to_it or [
        t for t in turns if t.role is Role.ASSISTANT and t.position < until.position
    ]
    return before[-1] if before and before[-1].is_models_own else None
