"""Evaluation reports."""

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
