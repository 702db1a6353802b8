"""Examples from a team's history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, examples, outbox
from records.ids import new_id, utc_now
from records.messages import Message
from records.states import ExampleSource, ExampleState, Urgency
from records.tables import Example


@dataclass(frozen=True, slots=True)
class Lesson:
    """A conversation so far and its right answer, before it is an example."""

    prompt: Sequence[Message]
    chosen: str
    should_escalate: bool = False
    customer: str | None = None
    slice: dict[str, Any] = field(default_factory=dict)


def add_imported(
    session: Session, lesson: Lesson, *, assistant: str, key: str, approved: bool, actor: str
) -> bool:
    """Add an example from the team's history; False where it was imported before.

    One that is not approved yet waits for a person's word in App Home: an import is too many for
    cards.
    """
    if session.scalar(select(Example.id).where(Example.key == key)) is not None:
        return False
    example = Example(
        id=new_id("ex"),
        assistant=assistant,
        key=key,
        source=ExampleSource.IMPORT,
        customer=lesson.customer,
        prompt=examples.to_json(lesson.prompt),
        chosen=lesson.chosen,
        should_escalate=lesson.should_escalate,
        slice=lesson.slice,
        created_by=actor,
        state=ExampleState.APPROVED if approved else ExampleState.PROPOSED,
        decided_by=actor if approved else None,
        decided_at=utc_now() if approved else None,
    )
    session.add(example)
    if approved:
        audit.note(session, actor=actor, action=examples.APPROVED, subject=example.id)
    return True


def tell_imported(session: Session, assistant: str, *, run: str, number: int) -> None:
    """Say in Slack, once for a run of an import, how many examples it left for review."""
    outbox.put(
        session,
        outbox.Kind.EXAMPLES_IMPORTED,
        assistant,
        revision=run,
        urgency=Urgency.LATER,
        number=number,
    )
