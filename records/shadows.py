"""Shadows: a version that answers a sample of real questions unseen, and how it compares."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from records import audit, trials
from records.database import lock_assistant
from records.errors import Conflict, InvalidInput, NotFound
from records.states import ExperimentState, TurnStatus
from records.tables import Shadow, ShadowAnswer, Turn
from records.versions import check_candidate, get, pointer

_SPACES = " \n\t\r"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a shadow has answered so far, beside the complete answers that customers read."""

    answers: int
    errors: int
    """Questions to which it gave no answer; the other figures leave them out."""
    same_text: int
    same_handover: int


def running(session: Session, assistant: str) -> Shadow | None:
    """The shadow that runs now."""
    return trials.running(session, Shadow, assistant)


def start(
    session: Session, version_id: str, share: float, *, actor: str, without_evidence: bool = False
) -> Shadow:
    """Let a version answer a share of its assistant's questions, without anyone seeing it.

    Raises:
        InvalidInput: a share that is not above 0 and at most 1.
        NotFound: no such version.
        Conflict: a shadow runs already, the version is champion, or the gate's last verdict on it
            is FAIL and `without_evidence` is not given.
    """
    if not 0 < share <= 1:
        raise InvalidInput("The share must be above 0 and at most 1.", field="share")
    assistant = get(session, version_id).assistant
    lock_assistant(session, assistant)
    if running(session, assistant) is not None:
        raise Conflict(f"A shadow of {assistant!r} runs already; stop it first.")
    current = pointer(session, assistant)
    if current is not None and current.version == version_id:
        raise Conflict(f"{version_id} is champion: a shadow of itself would show nothing.")
    check_candidate(session, version_id, assistant=assistant, without_evidence=without_evidence)
    shadow = Shadow(
        assistant=assistant, version=version_id, share=share, state=ExperimentState.RUNNING,
        started_by=actor,
    )  # fmt: skip
    session.add(shadow)
    session.flush()
    audit.note(session, actor=actor, action="start_shadow", subject=shadow.id, share=share)
    return shadow


def stop(session: Session, assistant: str, *, actor: str) -> Shadow:
    """End the running shadow; its answers stay.

    Raises:
        Conflict: no shadow runs.
    """
    stopped = trials.stop(session, Shadow, assistant, actor=actor)
    if stopped is None:
        raise Conflict(f"No shadow of {assistant!r} runs.")
    return stopped


def newest(session: Session, assistant: str) -> Shadow:
    """The running shadow, or else the one that was started last.

    Raises:
        NotFound: there was none yet.
    """
    found = trials.newest(session, Shadow, assistant)
    if found is None:
        raise NotFound(f"No shadow of {assistant!r} was started yet.")
    return found


def agreement(session: Session, shadow: Shadow) -> Agreement:
    """How often the shadow said the same as the version that answered.

    An answer that was withheld counts as it was said, not as the sentence in its place.
    """
    answered = ShadowAnswer.error.is_(None)
    said = func.coalesce(Turn.withheld, Turn.content)
    same_text = _trimmed(ShadowAnswer.content) == _trimmed(said)
    row = session.execute(
        select(
            _count(answered),
            _count(ShadowAnswer.error.is_not(None)),
            _count(answered & same_text),
            _count(answered & (ShadowAnswer.handed_over == Turn.handed_over)),
        )
        .join(Turn, Turn.id == ShadowAnswer.turn_id)
        .where(ShadowAnswer.shadow_id == shadow.id, Turn.status == TurnStatus.COMPLETE)
    ).one()
    return Agreement(*row)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _trimmed(text: "ColumnElement[str] | object") -> ColumnElement[str]:
    return func.trim(text, _SPACES)
