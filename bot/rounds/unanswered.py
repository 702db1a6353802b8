"""What a bot left behind that died while it answered agents: found by its age."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from records import trial_answers
from records.states import OutboxState

ANSWERED_WITHIN = timedelta(minutes=5)
"""Longer than a question may wait and be answered (`BotSettings` holds both to less)."""
_SHOWN_WITHIN = timedelta(minutes=2)
_LOOKED_BACK = timedelta(days=1)


def find_left_behind(session: Session, _: Desk, now: datetime) -> None:
    """Tell of questions of which nothing was heard, and show answers that nobody has shown."""
    since = now - _LOOKED_BACK
    for question in trial_answers.lost(session, since=since, before=now - ANSWERED_WITHIN):
        trial_answers.fail(session, question, reason=wording.asking.STOPPED)
    for turn in trial_answers.unshown(session, since=since, before=now - _SHOWN_WITHIN):
        trial_answers.show(session, turn, state=OutboxState.SENDING)
