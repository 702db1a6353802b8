"""Deliveries from Slack that were taken in: a repeated one does nothing.

The note is kept in the transaction of what the delivery led to, so that a delivery whose work was
lost is not taken for done when Slack repeats it.
"""

from datetime import timedelta

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from records.ids import utc_now
from records.tables import SlackEvent

_KEPT = timedelta(days=7)
_TOLD = ("hint:%", "opening:%")
_TOLD_KEPT = timedelta(days=400)


def first_time(session: Session, delivery_id: str) -> bool:
    """Note a delivery; False where it was noted before."""
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert if on_sqlite else postgresql.insert
    row = {"id": delivery_id, "received_at": utc_now()}
    added = insert(SlackEvent).values(row).on_conflict_do_nothing()
    counted = session.connection().execution_options(preserve_rowcount=True)
    return counted.execute(added).rowcount == 1


def was_noted(session: Session, key: str) -> bool:
    """Whether something was noted."""
    return session.scalar(select(exists().where(SlackEvent.id == key))) is True


def forget_old(session: Session) -> None:
    """Drop notes that are older than any retry of Slack's; much later, of what people were told."""
    now, of_what_was_told = utc_now(), or_(*(SlackEvent.id.like(name) for name in _TOLD))
    old = SlackEvent.received_at < now - _KEPT
    session.execute(delete(SlackEvent).where(old, ~of_what_was_told))
    session.execute(delete(SlackEvent).where(SlackEvent.received_at < now - _TOLD_KEPT))
