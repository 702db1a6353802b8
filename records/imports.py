"""Examples from a team's history and documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, examples, outbox
from records.database import lock_assistant
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
    rejected: str | None = None
    """The answer that was wrong, where it is known."""
    origin: dict[str, Any] = field(default_factory=dict)
    """Where it came from: `{"file": name, "line": number, "licence": name}`, for example."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A lesson, whether a person approved it, and what makes it the same as another."""

    lesson: Lesson
    approved: bool
    key: str


def add_imported(
    session: Session, lesson: Lesson, *, assistant: str, key: str, approved: bool, actor: str
) -> bool:
    """Add an example from the team's history; False where it was imported before."""
    wanted = [Imported(lesson, approved, key)]
    return add_all_imported(session, wanted, assistant=assistant, actor=actor)[0]


def add_all_imported(
    session: Session,
    wanted: Sequence[Imported],
    *,
    assistant: str,
    actor: str,
    source: ExampleSource = ExampleSource.IMPORT,
) -> list[bool]:
    """Add examples, a few hundred at once; for each whether it is new.

    One that is not approved yet waits for a person's word in App Home: an import is too many for
    cards. Two imports of the same at once add it once.
    """
    lock_assistant(session, assistant)
    keys = [one.key for one in wanted]
    known = set(session.scalars(select(Example.key).where(Example.key.in_(keys))))
    added = []
    for one in wanted:
        added.append(one.key not in known)
        if one.key not in known:
            known.add(one.key)
            _add(session, one, assistant=assistant, source=source, actor=actor)
    return added


def _add(
    session: Session, one: Imported, *, assistant: str, source: ExampleSource, actor: str
) -> None:
    lesson, approved = one.lesson, one.approved
    example = Example(
        id=new_id("ex"),
        assistant=assistant,
        key=one.key,
        source=source,
        customer=lesson.customer,
        prompt=examples.to_json(lesson.prompt),
        chosen=lesson.chosen,
        rejected=lesson.rejected,
        should_escalate=lesson.should_escalate,
        slice=lesson.slice,
        origin=lesson.origin,
        created_by=actor,
        state=ExampleState.APPROVED if approved else ExampleState.PROPOSED,
        decided_by=actor if approved else None,
        decided_at=utc_now() if approved else None,
    )
    session.add(example)
    if approved:
        audit.note(session, actor=actor, action=examples.APPROVED, subject=example.id)


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
