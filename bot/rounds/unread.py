"""Says of replies that no customer had for too long that it is so."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.desk import Desk
from records import delivery, outbox
from records.outbox import Kind

_LOOKED_BACK = timedelta(days=1)
"""An agent who is told of it later than that has no use for it."""


def tell_of_unread(session: Session, desk: Desk, now: datetime) -> None:
    """Offer *Retry* for what nobody had in time, and again where that was in vain."""
    for name, assistant in desk.assistants.items():
        if not assistant.slack.unread_minutes:
            continue
        before = now - timedelta(minutes=assistant.slack.unread_minutes)
        after = now - _LOOKED_BACK
        for turn in delivery.unread(session, name, after=after, before=before):
            outbox.put(session, Kind.REPLY_UNREAD, turn.id)
        for turn, tries in delivery.still_unread(session, name, after=after, before=before):
            delivery.note_still_unread(session, turn.id, tries=tries)
