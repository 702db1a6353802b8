"""Deciding against a version, and taking that back."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit
from records.database import lock_assistant
from records.errors import Conflict
from records.states import ExperimentState, VersionState
from records.tables import Arm, Audit, Experiment, Report, Shadow, Version
from records.versions import get, is_discarded, refuse_discarded, tell_reports_on

_NEVER_SERVED = (VersionState.TRAINED, VersionState.EVALUATED)
_DISCARD = "discard"


def may_discard(session: Session, version_id: str) -> bool:
    """Whether a version may be decided against: it never served, and nothing tries it now."""
    version = session.get(Version, version_id)
    never_served = version is not None and version.state in _NEVER_SERVED
    return never_served and not _is_tried(session, version_id)


def discard(session: Session, version_id: str, *, actor: str) -> Version:
    """Decide against a version: it gets no customers until somebody takes it back.

    Raises:
        NotFound: no such version.
        Conflict: it is discarded already, serves or has served, or is being tried.
    """
    version = _to_be_turned(session, version_id)
    refuse_discarded(session, version)
    if version.state not in _NEVER_SERVED:
        raise Conflict(f"{version_id} has served customers, so it can't be discarded.")
    if _is_tried(session, version_id):
        raise Conflict(f"{version_id} is being tried: stop its experiment or shadow first.")
    version.state = VersionState.DISCARDED
    audit.note(session, actor=actor, action=_DISCARD, subject=version_id)
    tell_reports_on(session, [version_id])
    return version


def take_back(session: Session, version_id: str, *, actor: str) -> Version:
    """Undo `discard`.

    Raises:
        NotFound: no such version.
        Conflict: it is not discarded.
    """
    version = _to_be_turned(session, version_id)
    if version.state is not VersionState.DISCARDED:
        raise Conflict(f"{version_id} is not discarded.")
    reported = session.scalar(select(Report.id).where(Report.challenger == version_id).limit(1))
    version.state = VersionState.EVALUATED if reported else VersionState.TRAINED
    audit.note(session, actor=actor, action="take_back", subject=version_id)
    tell_reports_on(session, [version_id])
    return version


def discarded_by(session: Session, version_id: str) -> str | None:
    """Who decided against a version, where somebody did."""
    if not is_discarded(session, version_id):
        return None
    return session.scalar(
        select(Audit.actor)
        .where(Audit.subject == version_id, Audit.action == _DISCARD)
        .order_by(Audit.id.desc())
        .limit(1)
    )


def _to_be_turned(session: Session, version_id: str) -> Version:
    """A version as it is now, with its assistant's lock held."""
    version = get(session, version_id)
    lock_assistant(session, version.assistant)
    session.refresh(version)
    return version


def _is_tried(session: Session, version_id: str) -> bool:
    """Whether a running experiment or shadow has the version."""
    running = ExperimentState.RUNNING
    in_arm = (
        select(Arm.id)
        .join(Experiment, Experiment.id == Arm.experiment_id)
        .where(Arm.version == version_id, Experiment.state == running)
    )
    in_shadow = select(Shadow.id).where(Shadow.version == version_id, Shadow.state == running)
    return any(session.scalar(query.limit(1)) is not None for query in (in_arm, in_shadow))
