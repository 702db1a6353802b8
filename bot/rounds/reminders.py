"""Reminders of escalations that nobody takes over: in the thread first, then to those on call."""

from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from bot.desk import Desk
from records import reminders
from records.assistant import Assistant
from records.reminders import Patience


def remind(session: Session, desk: Desk, now: datetime) -> None:
    """Queue what is due; each escalation is reminded of once, and once told to those on call."""
    waiting = sorted(reminders.unclaimed(session), key=lambda one: one.assistant)
    for name, group in groupby(waiting, key=lambda one: one.assistant):
        assistant = desk.assistants.get(name)
        if assistant is not None:
            reminders.remind(session, list(group), patience=patience_of(assistant), now=now)


def patience_of(assistant: Assistant) -> Patience:
    """How long an assistant's customers may wait, by its file; the team's hours count only."""
    slack = assistant.slack
    return Patience(
        remind_after=timedelta(minutes=slack.remind_minutes) if slack.remind_minutes else None,
        on_call_after=timedelta(minutes=slack.on_call_minutes) if slack.on_call else None,
        hours=assistant.escalation.hours,
    )
