"""The append-only audit log: who did what to what."""

from typing import Any

from sqlalchemy.orm import Session

from records.tables import Audit


def note(session: Session, *, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Add a line; it is kept or lost with the caller's transaction."""
    session.add(Audit(actor=actor, action=action, subject=subject, detail=detail))
