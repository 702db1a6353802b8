"""Deliveries from Slack that were taken in: a repeated one does nothing.

The note is kept in the transaction of what the delivery led to, so that a delivery whose work was
lost is not taken for done when Slack repeats it.
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from records.ids import utc_now
from records.tables import SlackEvent

_KEPT = timedelta(days=7)


def first_time(session: Session, delivery_id: str) -> bool:
    """Note a delivery; False where it was noted before."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if on_sqlite else postgresql.insert
    row = {"id": delivery_id, "received_at": utc_now()}
    added = insert(SlackEvent).values(row).on_conflict_do_nothing()
    counted = session.connection().execution_options(preserve_rowcount=True)
    return counted.execute(added).rowcount == 1


def forget_old(session: Session) -> None:
    """Drop notes that are older than any retry of Slack's."""
    session.execute(delete(SlackEvent).where(SlackEvent.received_at < utc_now() - _KEPT))
