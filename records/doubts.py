"""Approved examples that go back to review because something speaks against them.

A doubt is answered by the next approval. No clock is needed to see that: sending back takes the
approval away, so a doubted example that is approved now was approved afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, examples
from records.ids import new_id
from records.states import DoubtKind, ExampleState
from records.tables import Doubt, Example

DOUBTED = "example_doubted"
"""What the audit log calls sending an example back."""
NOTES: dict[DoubtKind, str] = {
    DoubtKind.CONTRADICTION: "Doubted: another example answers nearly the same question otherwise.",
    DoubtKind.LABEL_NOISE: "Doubted: examples with questions like it teach another answer.",
}
_ACTOR = "worker"


@dataclass(frozen=True, slots=True)
class Doubted:
    """Why an example is in review again, and the example that speaks against it, if one does."""

    doubt: Doubt
    other: Example | None


def send_back(
    session: Session,
    example_id: str,
    *,
    kind: DoubtKind,
    other_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
    job_id: str | None = None,
) -> bool:
    """Let people look at an approved example again; False: they have, and it may train.

    True says that it must not train now. Doubting the same twice changes nothing more. Who sends
    several back in one transaction does so in the order of their ids, as reviewers lock them.

    `other_id` names the example that contradicts it; with label noise, one that shows what the
    others teach. `detail` holds figures (`{"likeness": 0.9}`), never anybody's words: those stay
    where they can be erased.

    Raises:
        NotFound: no such example.
    """
    example = examples.get(session, example_id, lock=True)
    other = examples.get(session, other_id) if other_id else None
    doubted = _fingerprint(example, other, kind)
    if _is_answered(session, example, other, kind=kind, fingerprint=doubted):
        return False
    if example.state is not ExampleState.APPROVED:
        return True
    session.add(
        Doubt(
            id=new_id("doubt"), example_id=example_id, kind=kind, fingerprint=doubted,
            other_id=other_id, detail=dict(detail or {}), job_id=job_id,
        )
    )  # fmt: skip
    example.state, example.decided_by, example.decided_at = ExampleState.PROPOSED, None, None
    example.decision_note = NOTES[kind]
    named = {"kind": kind, "other": other_id, "job": job_id}
    audit.note(session, actor=_ACTOR, action=DOUBTED, subject=example_id, **named)
    examples.show_change(session, example)
    session.flush()
    return True


def answered(session: Session, assistant: str) -> set[tuple[str, DoubtKind]]:
    """Examples that people approved in spite of a doubt of a kind, and still teach the same.

    Of two that contradict each other, approving one speaks for both: whoever did so saw both.
    """
    doubts = session.scalars(
        select(Doubt)
        .join(Example, Doubt.example_id == Example.id)
        .where(Example.assistant == assistant, Example.state == ExampleState.APPROVED)
    )
    found: set[tuple[str, DoubtKind]] = set()
    for doubt in doubts:
        example, other = _pair(session, doubt)
        if doubt.fingerprint == _fingerprint(example, other, doubt.kind):
            both = (example, other) if doubt.kind is DoubtKind.CONTRADICTION else (example,)
            found |= {(one.id, doubt.kind) for one in both if one is not None}
    return found


def of_waiting(session: Session, example: Example) -> list[Doubted]:
    """Why an example waits again: its newest doubt of each kind; none once it is decided."""
    if example.state is not ExampleState.PROPOSED:
        return []
    doubts = session.scalars(
        select(Doubt).where(Doubt.example_id == example.id).order_by(Doubt.created_at, Doubt.id)
    )
    newest = {doubt.kind: doubt for doubt in doubts}
    return [Doubted(doubt, _pair(session, doubt)[1]) for _, doubt in sorted(newest.items())]


def _pair(session: Session, doubt: Doubt) -> tuple[Example, Example | None]:
    other = session.get(Example, doubt.other_id) if doubt.other_id else None
    return session.get_one(Example, doubt.example_id), other


def _is_answered(
    session: Session, example: Example, other: Example | None, *, kind: DoubtKind, fingerprint: str
) -> bool:
    """Whether the same doubt, of it or of the other, was followed by an approval."""
    asked = [example.id] if other is None else [example.id, other.id]
    approved = (
        select(Doubt.id)
        .join(Example, Doubt.example_id == Example.id)
        .where(
            Doubt.example_id.in_(asked),
            Doubt.kind == kind,
            Doubt.fingerprint == fingerprint,
            Example.state == ExampleState.APPROVED,
        )
    )
    return session.scalar(approved.limit(1)) is not None


def _fingerprint(example: Example, other: Example | None, kind: DoubtKind) -> str:
    """The same as long as what is doubted teaches the same, whichever of two is doubted first.

    Which example shows what the others teach changes from run to run, so it is no part of it.
    """
    pair = [example]
    if kind is DoubtKind.CONTRADICTION and other is not None:
        pair.append(other)
    taught = sorted(f"{one.id} {examples.fingerprint(one)}" for one in pair)
    return sha256("\n".join(taught).encode()).hexdigest()
