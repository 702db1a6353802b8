"""Examples from answers that customers accepted: replay against forgetting."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, joinedload

from records import examples, flags
from records.ids import utc_now
from records.messages import Role
from records.states import ExampleSource, ExampleState
from records.tables import Conversation, Example, Flag, Outcome, Turn

ACCEPTED = "accepted"
"""The outcome metric by which a customer's backend says that an answer helped (1) or not (0)."""


def collect_accepted(session: Session, assistant: str) -> int:
    """Make examples of answers that customers accepted, for replay; returns how many are new.

    The newest `accepted` outcome of a conversation counts, and speaks of the last answer before
    it. That answer must be the model's own and unflagged; and no person may have had to help
    afterwards, unless asking for one was the answer. The customer's acceptance is the approval.
    """
    accepted = _accepted(session, assistant)
    turns = session.scalars(
        select(Turn)
        .where(Turn.conversation_id.in_(_accepted_conversations(assistant)))
        .order_by(Turn.conversation_id, Turn.position)
        .options(joinedload(Turn.conversation))
    )
    flagged = set(session.scalars(select(Flag.turn_id).where(flags.stands())))
    added = 0
    for conversation_id, group in groupby(turns, key=lambda turn: turn.conversation_id):
        said = list(group)
        outcome = accepted.get(conversation_id)
        answer = _accepted_answer(said, outcome) if outcome is not None else None
        if answer is not None and answer.id not in flagged:
            session.add(_example(answer, said))
            added += 1
    return added


def _accepted_conversations(assistant: str) -> "Select[str | None]":
    """Ids of conversations with an `accepted` outcome that no example was made of yet."""
    return (
        select(Outcome.conversation_id)
        .join(Conversation, Outcome.conversation_id == Conversation.id)
        .where(
            Conversation.assistant == assistant,
            Conversation.trial.is_(False),
            Outcome.metric == ACCEPTED,
            ~exists().where(
                Example.conversation_id == Conversation.id,
                Example.source == ExampleSource.ACCEPTED,
            ),
        )
    )


def _accepted(session: Session, assistant: str) -> dict[str, Outcome]:
    """Conversations whose newest outcome says that the answer helped; others are left out."""
    outcomes = session.scalars(
        select(Outcome)
        .where(
            Outcome.metric == ACCEPTED,
            Outcome.conversation_id.in_(_accepted_conversations(assistant)),
        )
        .order_by(Outcome.id)
    )
    newest = {o.conversation_id: o for o in outcomes if o.conversation_id is not None}
    return {key: outcome for key, outcome in newest.items() if outcome.value >= 1}


def _accepted_answer(said: Sequence[Turn], outcome: Outcome) -> Turn | None:
    """The answer that a customer accepted, if it was the model's own doing."""
    answers = [t for t in said if t.role is Role.ASSISTANT and _was_before(t, outcome)]
    if not answers or not answers[-1].is_models_own:
        return None
    answer = answers[-1]
    helped = any(t.role is Role.AGENT and t.position > answer.position for t in said)
    return None if helped and not answer.handed_over else answer


def _was_before(turn: Turn, outcome: Outcome) -> bool:
    """Whether a turn was said when an outcome was reported, whatever clocks say."""
    if outcome.position is None:  # reported before positions were noted
        return turn.created_at <= outcome.created_at
    return turn.position <= outcome.position


def _example(answer: Turn, said: Sequence[Turn]) -> Example:
    conversation = answer.conversation
    return Example(
        assistant=conversation.assistant,
        key=f"accepted:{answer.id}",
        source=ExampleSource.ACCEPTED,
        turn_id=answer.id,
        conversation_id=conversation.id,
        customer=conversation.customer,
        prompt=examples.to_json(examples.asked(said, before=answer)),
        chosen=answer.content,
        should_escalate=answer.handed_over,
        created_by="customer",
        state=ExampleState.APPROVED,
        decided_by="customer",
        decided_at=utc_now(),
    )
