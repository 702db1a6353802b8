"""Flags, and the examples made from them, from agents' replies and from accepted answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, joinedload

from records import audit, conversations, outbox
from records.errors import Conflict, InvalidInput, NotFound
from records.ids import utc_now
from records.messages import Message, Role
from records.states import ExampleSource, ExampleState, FlagReason, TurnStatus, Urgency
from records.tables import Conversation, Escalation, Example, Flag, Outcome, Turn

ACCEPTED = "accepted"
"""The outcome metric by which a customer's backend says that an answer helped (1) or not (0)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an agent says of an answer."""

    reason: FlagReason | None = None
    correction: str | None = None
    should_escalate: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A conversation so far and its right answer, before it is an example."""

    prompt: Sequence[Message]
    chosen: str
    should_escalate: bool = False
    customer: str | None = None
    slice: dict[str, Any] = field(default_factory=dict)


def flag(session: Session, turn_id: str, *, agent: str, judgement: Judgement) -> Flag:
    """Mark an answer as bad. With a right answer or "should have escalated", propose an example.

    A later flag of the same agent on the same answer replaces the example of the earlier one, as
    long as that was not decided upon.

    Raises:
        NotFound: no such turn.
        InvalidInput: the turn is not an answer of the assistant.
    """
    turn = conversations.turn(session, turn_id)
    if turn.role is not Role.ASSISTANT:
        raise InvalidInput("Only the assistant's answers can be flagged.")
    row = Flag(
        turn_id=turn_id,
        agent=agent,
        reason=judgement.reason,
        correction=judgement.correction,
        should_escalate=judgement.should_escalate,
        note=judgement.note,
    )
    session.add(row)
    session.flush()
    audit.note(session, actor=agent, action="flag", subject=turn_id, flag=row.id)
    outbox.put(session, outbox.Kind.TURN_CHANGED, turn_id, revision=row.id)
    if judgement.correction or judgement.should_escalate:
        _supersede(session, turn_id=turn_id, agent=agent)
        _propose_from_flag(session, row, turn)
    return row


def get_flag(session: Session, flag_id: str) -> Flag:
    """One flag.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Flag, flag_id)
    if found is None:
        raise NotFound(f"No flag {flag_id!r}.")
    return found


def _supersede(session: Session, *, turn_id: str, agent: str) -> None:
    earlier = session.scalars(
        select(Example).where(
            Example.turn_id == turn_id,
            Example.created_by == agent,
            Example.source == ExampleSource.FLAG,
            Example.state == ExampleState.PROPOSED,
        )
    )
    for example in earlier:
        example.state = ExampleState.SUPERSEDED
        outbox.put(session, outbox.Kind.EXAMPLE_CHANGED, example.id, revision="superseded")


def _propose_from_flag(session: Session, row: Flag, turn: Turn) -> Example:
    conversation = conversations.get(session, turn.conversation_id)
    asked = _asked(conversations.history(session, conversation.id), before=turn)
    return _propose(
        session,
        Example(
            assistant=conversation.assistant,
            key=f"flag:{row.id}",
            source=ExampleSource.FLAG,
            turn_id=turn.id,
            flag_id=row.id,
            conversation_id=conversation.id,
            customer=conversation.customer,
            prompt=to_json(asked),
            chosen=(row.correction or "").strip(),
            rejected=turn.models_words,
            should_escalate=row.should_escalate,
            created_by=row.agent,
            state=ExampleState.PROPOSED,
        ),
    )


def propose_from_reply(session: Session, escalation: Escalation, *, agent: str) -> Example | None:
    """Propose the agent's last reply as the right answer to what the customer asked before it.

    Nothing is proposed where the agent said nothing, or where the answer was flagged with a
    correction already: that correction is the better lesson.
    """
    turns = conversations.history(session, escalation.conversation_id)
    replies = [t for t in turns if t.role is Role.AGENT and t.created_at >= escalation.opened_at]
    if not replies:
        return None
    first = replies[0]
    answered = _answer_escalated(escalation, turns, until=first)
    asked = _asked(turns, before=answered or first)
    flagged = answered is not None and session.scalar(
        select(exists().where(Flag.turn_id == answered.id, Flag.correction.is_not(None)))
    )
    if flagged or not asked:
        return None
    conversation = conversations.get(session, escalation.conversation_id)
    return _propose(
        session,
        Example(
            assistant=conversation.assistant,
            key=f"reply:{escalation.id}",
            source=ExampleSource.REPLY,
            turn_id=first.id,
            conversation_id=conversation.id,
            customer=conversation.customer,
            prompt=to_json(asked),
            chosen="\n".join(t.content for t in replies),
            rejected=answered.content if answered else None,
            should_escalate=False,
            created_by=agent,
            state=ExampleState.PROPOSED,
        ),
    )


def _answer_escalated(escalation: Escalation, turns: Sequence[Turn], *, until: Turn) -> Turn | None:
    """The model's answer that an escalation is about; None where it gave none (engine down)."""
    led_to_it = [t for t in turns if t.id == escalation.turn_id]
    before = led_to_it or [
        t for t in turns if t.role is Role.ASSISTANT and t.position < until.position
    ]
    return before[-1] if before and _given_by_model(before[-1]) else None


def _propose(session: Session, example: Example) -> Example:
    session.add(example)
    session.flush()
    waiting = conversations.open_escalation(session, example.conversation_id or "")
    urgency = conversations.urgency_of(waiting) if waiting else Urgency.NOW  # not before its card
    outbox.put(session, outbox.Kind.EXAMPLE_PROPOSED, example.id, urgency=urgency)
    return example


def add_imported(
    session: Session, lesson: Lesson, *, assistant: str, key: str, approved: bool, actor: str
) -> bool:
    """Add an example from the team's history; False where it was imported before.

    One that is not approved yet waits for a person's word in Slack, like any other.
    """
    if session.scalar(select(Example.id).where(Example.key == key)) is not None:
        return False
    example = Example(
        assistant=assistant,
        key=key,
        source=ExampleSource.IMPORT,
        customer=lesson.customer,
        prompt=to_json(lesson.prompt),
        chosen=lesson.chosen,
        should_escalate=lesson.should_escalate,
        slice=lesson.slice,
        created_by=actor,
        state=ExampleState.APPROVED if approved else ExampleState.PROPOSED,
        decided_by=actor if approved else None,
        decided_at=utc_now() if approved else None,
    )
    if approved:
        session.add(example)
    else:
        _propose(session, example)
    return True


def get_example(session: Session, example_id: str, *, lock: bool = False) -> Example:
    """One example; with `lock`, of two transactions at once the second waits for the first.

    Raises:
        NotFound: no such id.
    """
    if lock:
        session.flush()  # what is read anew must not undo what waits to be written
    found = session.get(
        Example, example_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if found is None:
        raise NotFound(f"No example {example_id!r}.")
    return found


def decide(
    session: Session,
    example_id: str,
    *,
    approve: bool,
    actor: str,
    should_escalate: bool | None = None,
) -> Example:
    """Approve or reject an example. Deciding the same twice is deciding once.

    `should_escalate` replaces what the example says of that, where it is given.

    Raises:
        Conflict: it was decided otherwise, or a later flag replaced it.
    """
    example = get_example(session, example_id, lock=True)
    wanted = ExampleState.APPROVED if approve else ExampleState.REJECTED
    if example.state is wanted:
        return example
    if example.state is not ExampleState.PROPOSED:
        by = f" by <@{example.decided_by}>" if example.decided_by else ""
        raise Conflict(f"This example is already {example.state}{by}.")
    example.state, example.decided_by, example.decided_at = wanted, actor, utc_now()
    if should_escalate is not None:
        example.should_escalate = should_escalate
    audit.note(session, actor=actor, action=f"example_{wanted}", subject=example_id)
    outbox.put(session, outbox.Kind.EXAMPLE_CHANGED, example_id, revision=wanted)
    return example


def approved(session: Session, assistant: str) -> list[Example]:
    """All approved examples of an assistant, oldest first."""
    return list(
        session.scalars(
            select(Example)
            .where(Example.assistant == assistant, Example.state == ExampleState.APPROVED)
            .order_by(Example.created_at, Example.id)
        )
    )


def collect_accepted(session: Session, assistant: str) -> int:
    """Make examples of answers that customers accepted, for replay; returns how many are new.

    The newest `accepted` outcome of a conversation counts, and speaks of the last answer before
    it. That answer must be the model's own and unflagged; and no person may have had to help
    afterwards, unless asking for one was the answer. The customer's acceptance is the approval.
    """
    accepted = _accepted_at(session, assistant)
    turns = session.scalars(
        select(Turn)
        .where(Turn.conversation_id.in_(_accepted_conversations(assistant)))
        .order_by(Turn.conversation_id, Turn.position)
        .options(joinedload(Turn.conversation))
    )
    flagged = set(session.scalars(select(Flag.turn_id)))
    added = 0
    for conversation_id, group in groupby(turns, key=lambda turn: turn.conversation_id):
        said = list(group)
        at = accepted.get(conversation_id)
        answer = _accepted_answer(said, at=at) if at is not None else None
        if answer is not None and answer.id not in flagged:
            session.add(_accepted(answer, said))
            added += 1
    return added


def _accepted_conversations(assistant: str) -> "Select[str | None]":
    """Ids of conversations with an `accepted` outcome that no example was made of yet."""
    return (
        select(Outcome.conversation_id)
        .join(Conversation, Outcome.conversation_id == Conversation.id)
        .where(
            Conversation.assistant == assistant,
            Outcome.metric == ACCEPTED,
            ~exists().where(
                Example.conversation_id == Conversation.id,
                Example.source == ExampleSource.ACCEPTED,
            ),
        )
    )


def _accepted_at(session: Session, assistant: str) -> dict[str, datetime]:
    """When each conversation's newest outcome said that the answer helped; others are left out."""
    outcomes = session.scalars(
        select(Outcome)
        .where(
            Outcome.metric == ACCEPTED,
            Outcome.conversation_id.in_(_accepted_conversations(assistant)),
        )
        .order_by(Outcome.id)
    )
    newest = {o.conversation_id: o for o in outcomes if o.conversation_id is not None}
    return {key: outcome.created_at for key, outcome in newest.items() if outcome.value >= 1}


def _accepted_answer(said: Sequence[Turn], *, at: datetime) -> Turn | None:
    """The answer that a customer accepted at that time, if it was the model's own doing."""
    answers = [t for t in said if t.role is Role.ASSISTANT and t.created_at <= at]
    if not answers or not _given_by_model(answers[-1]):
        return None
    answer = answers[-1]
    helped = any(t.role is Role.AGENT and t.position > answer.position for t in said)
    return None if helped and not answer.handed_over else answer


def _given_by_model(turn: Turn) -> bool:
    answered = turn.role is Role.ASSISTANT and turn.status is TurnStatus.COMPLETE
    return answered and turn.version is not None


def _asked(said: Sequence[Turn], *, before: Turn) -> list[Message]:
    """What was said before a turn; sentences of ours that stood in for the model are no lesson."""
    return [
        t.message
        for t in said
        if t.position < before.position and t.status is not TurnStatus.FALLBACK
    ]


def _accepted(answer: Turn, said: Sequence[Turn]) -> Example:
    conversation = answer.conversation
    return Example(
        assistant=conversation.assistant,
        key=f"accepted:{answer.id}",
        source=ExampleSource.ACCEPTED,
        turn_id=answer.id,
        conversation_id=conversation.id,
        customer=conversation.customer,
        prompt=to_json(_asked(said, before=answer)),
        chosen=answer.content,
        should_escalate=answer.handed_over,
        created_by="customer",
        state=ExampleState.APPROVED,
        decided_by="customer",
        decided_at=utc_now(),
    )


def to_json(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as the JSON that examples store."""
    return [{"role": str(m.role), "content": m.content} for m in messages]


def from_json(prompt: Sequence[dict[str, Any]]) -> list[Message]:
    """The messages of a stored prompt."""
    return [Message(Role(item["role"]), item["content"]) for item in prompt]
