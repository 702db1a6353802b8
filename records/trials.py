"""What runs beside the champion until it is stopped: experiments and shadows, one of each."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, outbox
from records.database import lock_assistant
from records.ids import utc_now
from records.states import ExperimentState
from records.tables import Experiment, Shadow

Trial = TypeVar("Trial", Experiment, Shadow)


def running(session: Session, kind: type[Trial], assistant: str) -> Trial | None:
    """The assistant's running experiment or shadow."""
    return session.scalar(
        select(kind).where(kind.assistant == assistant, kind.state == ExperimentState.RUNNING)
    )


def newest(session: Session, kind: type[Trial], assistant: str) -> Trial | None:
    """The running one, or else the one that was started last."""
    return running(session, kind, assistant) or session.scalar(
        select(kind)
        .where(kind.assistant == assistant)
        .order_by(kind.started_at.desc(), kind.id.desc())
        .limit(1)
    )


def stop(session: Session, kind: type[Trial], assistant: str, *, actor: str) -> Trial | None:
    """End the running one; None where none runs."""
    lock_assistant(session, assistant)
    trial = running(session, kind, assistant)
    if trial is not None:
        trial.state, trial.stopped_at = ExperimentState.STOPPED, utc_now()
        audit.note(session, actor=actor, action=f"stop_{kind.__name__.lower()}", subject=trial.id)
        if isinstance(trial, Experiment):
            outbox.put(session, outbox.Kind.EXPERIMENT_CHANGED, trial.id, revision="stopped")
    return trial
