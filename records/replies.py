"""Examples from what agents wrote to customers."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import conversations, examples, flags, transcripts
from records.authorship import reply_key
from records.messages import Role
from records.states import ExampleSource, ExampleState
from records.tables import Escalation, Example, Turn


def suggested(said: Sequence[Turn]) -> Turn | None:
    """Of agents' replies the one that most likely answers: the longest, of equals the last.

    Others greet, ask back, pass on or say goodbye.
    """
    return max(said, key=_likelihood, default=None)


def _likelihood(turn: Turn) -> tuple[bool, int, int]:
    asks_back = turn.content.rstrip().endswith(("?", "\uff1f", "\u061f"))
    return not asks_back, len(turn.content), turn.position


def propose_from_reply(
    session: Session, escalation: Escalation, *, agent: str, words: str | None = None
) -> Example | None:
    """Propose the right answer to what the customer asked before agents replied.

    Nothing is proposed where nobody replied, or where the answer was flagged with a correction
    already: that correction is the better lesson.

    Args:
        session: The caller's.
        escalation: In which agents replied.
        agent: Who says that this is the right answer.
        words: The right answer as they wrote it down; None: the reply that is `suggested`.
    """
    turns = conversations.history(session, escalation.conversation_id)
    replies = transcripts.replies(session, escalation)
    first, source = (replies[0] if replies else None), _source(replies, words)
    if first is None or source is None:
        return None
    answered = _answer_escalated(escalation, turns, until=first)
    asked = examples.asked(turns, before=answered or first)
    if not asked or (answered is not None and _is_corrected(session, answered)):
        return None
    conversation = conversations.get(session, escalation.conversation_id)
    return examples.propose(
        session,
        Example(
            assistant=conversation.assistant,
            key=reply_key(escalation),
            source=ExampleSource.REPLY,
            turn_id=source.id,
            conversation_id=conversation.id,
            customer=conversation.customer,
            prompt=examples.to_json(asked),
            chosen=source.content if words is None else words,
            rejected=answered.content if answered else None,
            should_escalate=False,
            created_by=agent,
            state=ExampleState.PROPOSED,
        ),
    )


def _source(replies: Sequence[Turn], words: str | None) -> Turn | None:
    """The reply that is the right answer, or that it was written down from."""
    same = [turn for turn in replies if words is not None and turn.content == words]
    return same[-1] if same else suggested(replies)


def follow(session: Session, turn: Turn, *, before: str) -> None:
    """Let a proposed example follow what its agent changed of the reply that it repeats.

    One whose words were written down anew, edited or decided upon stays as that person saw it.

    Args:
        session: The caller's.
        turn: The reply as it is now.
        before: What it said until now.
    """
    repeating = session.scalars(
        select(Example).where(
            Example.turn_id == turn.id,
            Example.source == ExampleSource.REPLY,
            Example.state == ExampleState.PROPOSED,
            Example.edited_by.is_(None),
            Example.chosen == before,
        )
    ).all()
    for example in repeating:
        example.chosen = turn.content
        if turn.removed_at is not None:
            example.state = ExampleState.SUPERSEDED
        examples.show_change(session, example)


def _is_corrected(session: Session, answer: Turn) -> bool:
    return any(flag.correction is not None for flag in flags.standing(session, answer.id))


def _answer_escalated(escalation: Escalation, turns: Sequence[Turn], *, until: Turn) -> Turn | None:
    """The model's answer that an escalation is about; None where it gave none (engine down)."""
    led_to_it = [t for t in turns if t.id == escalation.turn_id]
    before = led_to_it or [
        t for t in turns if t.role is Role.ASSISTANT and t.position < until.position
    ]
    return before[-1] if before and before[-1].is_models_own else None
