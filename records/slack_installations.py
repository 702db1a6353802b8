"""In which Slack workspaces the app is installed, and the tokens it has there."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from records.tables import SlackInstallation, SlackInstallState

_STATE_LIVES = timedelta(minutes=10)


def save(session: Session, installation: SlackInstallation) -> None:
    """Keep an installation in place of an earlier one in its workspace."""
    session.merge(installation)


def find(session: Session, team: str) -> SlackInstallation | None:
    """The installation in a workspace."""
    return session.get(SlackInstallation, team)


def every(session: Session) -> list[SlackInstallation]:
    """All installations."""
    return list(session.scalars(select(SlackInstallation).order_by(SlackInstallation.team)))


def remove(session: Session, team: str, *, before: datetime) -> bool:
    """Forget an installation that was made before a time; whether there was one."""
    done = session.execute(
        delete(SlackInstallation).where(
            SlackInstallation.team == team, SlackInstallation.installed_at < before
        )
    )
    return _count(done) > 0


def claim_rotation(session: Session, known: SlackInstallation, *, now: datetime) -> bool:
    """Claim for a while the exchange of a token as it is known; False where another has it."""
    done = session.execute(
        update(SlackInstallation)
        .where(
            SlackInstallation.team == known.team,
            SlackInstallation.refresh_token == known.refresh_token,
            or_(SlackInstallation.rotating_until.is_(None), SlackInstallation.rotating_until < now),
        )
        .values(rotating_until=now + timedelta(seconds=30))
    )
    return _count(done) > 0


def end_rotation(
    session: Session,
    known: SlackInstallation,
    *,
    bot_token: str,
    refresh_token: str | None,
    expires_at: datetime | None,
) -> None:
    """Keep the token that another one was exchanged for, and give up the claim."""
    session.execute(
        update(SlackInstallation)
        .where(
            SlackInstallation.team == known.team,
            SlackInstallation.refresh_token == known.refresh_token,
        )
        .values(
            bot_token=bot_token,
            refresh_token=refresh_token,
            expires_at=expires_at,
            rotating_until=None,
        )
    )


def begin_installing(session: Session, *, now: datetime) -> str:
    """A fresh state for the browser of somebody who installs the app."""
    session.execute(delete(SlackInstallState).where(SlackInstallState.expires_at < now))
    state = secrets.token_urlsafe(32)
    session.add(SlackInstallState(state=state, expires_at=now + _STATE_LIVES))
    return state


def goes_on_installing(session: Session, state: str, *, now: datetime) -> bool:
    """Use a state up; False where it was used before, is too old, or was never given."""
    done = session.execute(
        delete(SlackInstallState).where(
            SlackInstallState.state == state, SlackInstallState.expires_at >= now
        )
    )
    return _count(done) > 0


def _count(done: object) -> int:
    assert isinstance(done, CursorResult)
    return done.rowcount
