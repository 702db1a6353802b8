"""Yeses to something that needs several people; each counts for one state of things only."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit, outbox, trials
from records.errors import Conflict
from records.ids import utc_now
from records.tables import Consent, Experiment, Version
from records.versions import pointer, tell_reports_on

_PROMOTE = "promote"


def to_promote(session: Session, version: Version) -> list[str]:
    """Who agreed to promote a version as things are now, the first one first.

    A change of the release pointer makes earlier consents void: they were given to something else.
    """
    return list(
        session.scalars(
            select(Consent.actor)
            .where(Consent.action == _PROMOTE, Consent.subject == _subject(session, version))
            .order_by(Consent.id)
        )
    )


def agree_to_promote(session: Session, version: Version, *, actor: str) -> list[str]:
    """Add a person's yes; returns all who agreed. The caller holds the assistant's lock.

    Raises:
        Conflict: this person agreed already.
    """
    if actor in to_promote(session, version):
        raise Conflict(
            f"You agreed to promote {version.id} already. Another operator must agree too."
        )
    subject = _subject(session, version)
    session.add(Consent(action=_PROMOTE, subject=subject, actor=actor))
    session.flush()
    audit.note(session, actor=actor, action="promote_consent", subject=version.id)
    tell_reports_on(session, [version.id])
    _tell_experiment(session, version)
    return to_promote(session, version)


def _tell_experiment(session: Session, version: Version) -> None:
    """The running experiment's message shows who agreed, too."""
    running = trials.running(session, Experiment, version.assistant)
    if running is not None:
        now = utc_now().isoformat()
        outbox.put(session, outbox.Kind.EXPERIMENT_CHANGED, running.id, revision=now)


def _subject(session: Session, version: Version) -> str:
    release = pointer(session, version.assistant)
    return f"{version.id}@{release.id if release else 0}"
