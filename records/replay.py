"""Examples from what customers said of answers: accepted ones for replay, declined ones as wrong.

Replay keeps what was right already. Of a declined answer nobody knows what would have been right:
it has no right answer, and only training by thumbs (KTO) can use it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, Select, case, exists, select
from sqlalchemy.orm import Session, joinedload

from records import examples, flags
from records.ids import utc_now
from records.messages import Role
from records.outcomes import THUMB
from records.states import ExampleSource, ExampleState
from records.tables import Conversation, Example, Flag, Outcome, Turn

ACCEPTED = "accepted"
"""The outcome metric by which a customer's backend says that an answer helped (1) or not (0)."""
_BATCH = 500
_Said = tuple[Turn, ExampleSource]


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of a batch of conversations; `last` is None where there were no more."""

    added: int
    last: str | None


def collect_words(
    session: Session, assistant: str, *, after: str = "", most: int = _BATCH
) -> Collected:
    """Make examples of what customers said of answers, for a batch of conversations by their ids.

    A thumb speaks of its answer; an `accepted` outcome, and a thumb for a whole conversation, of
    the last answer before it. The newest word counts, and a backend's outcome before a thumb. The
    answer must be the model's own and unflagged; and for an accepted one no person may have had to
    help afterwards, unless asking for one was the answer. The customer's word is the approval.

    A customer who changed their mind replaces what they said before.
    """
    told = _told_news(assistant).where(Outcome.conversation_id > after).limit(most)
    conversations = [str(name) for name in session.scalars(told)]
    outcomes = _outcomes(session, conversations)
    known = _known(session, conversations)
    flagged = _flagged(session, conversations)
    turns = session.scalars(
        select(Turn)
        .where(Turn.conversation_id.in_(conversations))
        .order_by(Turn.conversation_id, Turn.position)
        .options(joinedload(Turn.conversation))
    )
    added = 0
    for conversation_id, group in groupby(turns, key=lambda turn: turn.conversation_id):
        said = list(group)
        for turn, source in _judged(said, outcomes[conversation_id]):
            if turn.id not in flagged:
                added += _keep(session, known, turn, source, said)
    return Collected(added, conversations[-1] if len(conversations) == most else None)


def _told_news(assistant: str) -> "Select[str | None]":
    """Ids of conversations whose customer said something since an example was made of it."""
    told = case((Outcome.metric == THUMB, Outcome.occurred_at), else_=Outcome.created_at)
    return (
        select(Outcome.conversation_id)
        .join(Conversation, Outcome.conversation_id == Conversation.id)
        .where(
            Conversation.assistant == assistant,
            Conversation.trial.is_(False),
            _is_a_word(),
            ~exists().where(
                Example.conversation_id == Conversation.id,
                Example.source.in_(examples.CUSTOMERS_WORDS),
                Example.decided_at >= told,
            ),
        )
        .distinct()
        .order_by(Outcome.conversation_id)
    )


def _is_a_word() -> ColumnElement[bool]:
    return Outcome.metric.in_((ACCEPTED, THUMB))


def _outcomes(session: Session, conversations: Sequence[str]) -> dict[str, list[Outcome]]:
    """What was said of each conversation: thumbs, then outcomes, the newest of each last."""
    found: dict[str, list[Outcome]] = {name: [] for name in conversations}
    rows = session.scalars(
        select(Outcome)
        .where(Outcome.conversation_id.in_(conversations), _is_a_word())
        .order_by(Outcome.id)
    )
    for outcome in sorted(rows, key=lambda row: row.metric == ACCEPTED):
        found[str(outcome.conversation_id)].append(outcome)
    return found


def _known(session: Session, conversations: Sequence[str]) -> dict[str, Example]:
    rows = session.scalars(
        select(Example).where(
            Example.conversation_id.in_(conversations),
            Example.source.in_(examples.CUSTOMERS_WORDS),
        )
    )
    return {row.key: row for row in rows}


def _flagged(session: Session, conversations: Sequence[str]) -> set[str]:
    return set(
        session.scalars(
            select(Flag.turn_id)
            .join(Turn, Flag.turn_id == Turn.id)
            .where(Turn.conversation_id.in_(conversations), flags.stands())
        )
    )


def _judged(said: Sequence[Turn], outcomes: Iterable[Outcome]) -> list[_Said]:
    """Each answer that a customer judged, with the last word on it."""
    words: dict[str, _Said] = {}
    for outcome in outcomes:
        answer = _answer(said, outcome)
        source = ExampleSource.ACCEPTED if outcome.value >= 1 else ExampleSource.DECLINED
        if answer is not None:
            words[answer.id] = (answer, source)
    return [word for word in words.values() if _teaches(said, *word)]


def _answer(said: Sequence[Turn], outcome: Outcome) -> Turn | None:
    """The answer that an outcome is about, if it was the model's own."""
    about = [t for t in said if t.role is Role.ASSISTANT and _is_about(outcome, t)]
    return about[-1] if about and about[-1].is_models_own else None


def _is_about(outcome: Outcome, turn: Turn) -> bool:
    """Whether an outcome may speak of a turn: its own, or what was said when it was reported."""
    if outcome.turn_id is not None:
        return turn.id == outcome.turn_id
    if outcome.position is None:  # a thumb, or reported before positions were noted
        return turn.created_at <= max(outcome.created_at, outcome.occurred_at)
    return turn.position <= outcome.position


def _teaches(said: Sequence[Turn], answer: Turn, source: ExampleSource) -> bool:
    helped = any(t.role is Role.AGENT and t.position > answer.position for t in said)
    return source is ExampleSource.DECLINED or not helped or answer.handed_over


def _keep(
    session: Session,
    known: Mapping[str, Example],
    answer: Turn,
    source: ExampleSource,
    said: Sequence[Turn],
) -> bool:
    """Note what a customer said last of an answer; False where that is known already."""
    for other in examples.CUSTOMERS_WORDS:
        before = known.get(_key(answer, other))
        if before is not None and other is not source:
            before.state, before.decided_at = ExampleState.SUPERSEDED, utc_now()
    example = known.get(_key(answer, source))
    if example is None:
        session.add(_example(answer, source, said))
        return True
    changed = example.state is ExampleState.SUPERSEDED
    if changed:
        example.state = ExampleState.APPROVED
    example.decided_at = utc_now()
    return changed


def _key(answer: Turn, source: ExampleSource) -> str:
    return f"{source}:{answer.id}"


def _example(answer: Turn, source: ExampleSource, said: Sequence[Turn]) -> Example:
    conversation = answer.conversation
    accepted = source is ExampleSource.ACCEPTED
    return Example(
        assistant=conversation.assistant,
        key=_key(answer, source),
        source=source,
        turn_id=answer.id,
        conversation_id=conversation.id,
        customer=conversation.customer,
        prompt=examples.to_json(examples.asked(said, before=answer)),
        chosen=answer.content if accepted else "",
        rejected=None if accepted else answer.models_words,
        should_escalate=accepted and answer.handed_over,
        created_by="customer",
        state=ExampleState.APPROVED,
        decided_by="customer",
        decided_at=utc_now(),
    )
