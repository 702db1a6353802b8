"""One file per thing that a person does in Slack."""

from slack_bolt.async_app import AsyncApp

from bot.attendance import Attendance
from bot.desk import Desk
from bot.listeners import (
    decide_example,
    flag_answer,
    promote,
    reply,
    resolve,
    retrain,
    rollback,
    take_over,
)


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Make the app listen to everything."""
    for listener in (
        take_over,
        resolve,
        reply,
        flag_answer,
        decide_example,
        retrain,
        promote,
        rollback,
    ):
        listener.register(app, desk, attendance)
