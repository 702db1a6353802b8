"""Evaluation reports."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.errors import NotFound
from records.tables import Report


def get(session: Session, report_id: str) -> Report:
    """One report.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Report, report_id)
    if found is None:
        raise NotFound(f"No report {report_id!r}.")
    return found


def newest_on(session: Session, first: str, second: str) -> Report | None:
    """The newest report that compares two versions, whichever of them was the champion."""
    return session.scalar(
        select(Report)
        .where(
            ((Report.champion == first) & (Report.challenger == second))
            | ((Report.champion == second) & (Report.challenger == first))
        )
        .order_by(Report.created_at.desc(), Report.id.desc())
        .limit(1)
    )
