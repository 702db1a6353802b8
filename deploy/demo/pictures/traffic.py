"""What happened before and beside the pictures: approved examples, and an experiment's traffic."""

import random
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from deploy.demo.pictures.office import Office
from deploy.demo.queries import Group, Part
from records import experiments, outcomes
from records.handoff import without_marker
from records.ids import new_id, utc_now
from records.messages import Role
from records.outcomes import Rating
from records.states import (
    ConversationState,
    EscalationReason,
    EscalationState,
    ExampleSource,
    ExampleState,
    Resolution,
)
from records.tables import Conversation, Escalation, Example, Experiment, Turn

_AGENTS = ("U0ANN", "U0BEN", "U0CEM", "U0DEE")
_SOURCES = (ExampleSource.FLAG, ExampleSource.FLAG, ExampleSource.FLAG, ExampleSource.REPLY)
_EXAMPLES = 1160
_REJECTED_SHARE = 0.06
APPROVED, REJECTED = ExampleState.APPROVED, ExampleState.REJECTED
_CONVERSATIONS = 420


def approve_corrections(office: Office) -> None:
    """Leave what a team has corrected in some weeks, on the topics that the base does not know."""
    chance = random.Random(4)
    now = utc_now()
    with office.database.write() as session:
        for number, query in enumerate(_corrected(office)):
            topic = office.bank.policy.topics[query[1]]
            at = now - timedelta(days=2 + number % 20)
            session.add(
                Example(
                    assistant=office.assistant.name,
                    key=f"picture:{number}",
                    source=_SOURCES[number % len(_SOURCES)],
                    prompt=[{"role": Role.CUSTOMER, "content": query[0]}],
                    chosen=topic.answer,
                    should_escalate=topic.handover,
                    state=REJECTED if chance.random() < _REJECTED_SHARE else APPROVED,
                    created_by=chance.choice(_AGENTS),
                    decided_by="U0DANA",
                    decided_at=at,
                    created_at=at,
                )
            )


def _corrected(office: Office) -> list[tuple[str, str]]:
    new = [
        (query.text, query.topic)
        for query in office.bank.queries
        if query.part is Part.TRAFFIC and office.bank.policy.topics[query.topic].group is Group.NEW
    ]
    return new[:_EXAMPLES]


def divide(office: Office) -> None:
    """Let customers be answered by both sides of the running experiment."""
    chance = random.Random(11)
    with office.database.write() as session:
        running = experiments.running(session, office.assistant.name)
        assert running is not None
        for number, question in enumerate(_questions(office)):
            tried = number % 10 == 0
            turn = _converse(session, office, question, running if tried else None)
            if number % 4 == 2 or number % 20 == 0:
                _rate(session, turn, is_good=chance.random() < (0.86 if tried else 0.71))
            if turn.handed_over:
                _hand_over(session, turn)


def answer_tried(office: Office) -> str:
    """The id of an answer that the version on trial gave to a customer."""
    with office.database.read() as session:
        answers = select(Turn.id).where(Turn.arm.is_not(None), ~Turn.handed_over)
        return session.scalars(answers.order_by(Turn.id).offset(2)).first() or ""


def _questions(office: Office) -> Iterator[str]:
    texts = [query.text for query in office.bank.queries if query.part is Part.DEV]
    random.Random(7).shuffle(texts)
    yield from texts[:_CONVERSATIONS]


def _converse(session: Session, office: Office, question: str, tried: Experiment | None) -> Turn:
    """One question and its answer, as the gateway leaves them."""
    arm = tried.arms[0] if tried else None
    version = arm.version if arm else office.assistant.base_version
    conversation = Conversation(
        id=new_id("conv"),
        assistant=office.assistant.name,
        customer=f"customer of {new_id('c')}",
        state=ConversationState.OPEN,
        version=version,
    )
    said = office.bank.answer(version, question)
    handed_over, words = without_marker(said, marker=office.assistant.handoff_marker)
    asked = Turn(conversation_id=conversation.id, position=0, role=Role.CUSTOMER, content=question)
    answer = Turn(
        conversation_id=conversation.id,
        position=1,
        role=Role.ASSISTANT,
        content=words,
        version=version,
        handed_over=handed_over,
        duration_ms=640.0,
        completion_tokens=len(words.split()),
        mean_logprob=-0.06,
        experiment=tried.id if tried else None,
        arm=arm.name if arm else None,
    )
    for row in (conversation, asked, answer):
        session.add(row)
        session.flush()
    return answer


def _rate(session: Session, turn: Turn, *, is_good: bool) -> None:
    rating = Rating(thumb_up=is_good, turn_id=turn.id)
    outcomes.rate(session, turn.conversation_id, rating)


def _hand_over(session: Session, turn: Turn) -> None:
    """An escalation that is over, so that it takes no place in the channel."""
    session.add(
        Escalation(
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            reason=EscalationReason.MODEL,
            cause=f"{turn.version} asked for a person.",
            state=EscalationState.RESOLVED,
            resolution=Resolution.HANDED_BACK,
        )
    )
