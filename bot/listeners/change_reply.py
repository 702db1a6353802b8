"""A message in an escalation's thread is edited or deleted: what its customer reads follows."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.changes import CHANGED, DELETED, Change, assistant_of, follow


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to changes of messages. To be registered before whoever listens to all messages."""

    @app.event({"type": "message", "subtype": (CHANGED, DELETED)})
    async def changed(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        change = Change.read(event)
        if change is None:
            return
        delivery = str(body["event_id"])
        hint = await desk.write(lambda session: _follow(session, desk, change, delivery=delivery))
        if hint:
            message = change.before
            place = Place(client, message.user, message.channel, message.thread_ts)
            await attendance.tell(place, hint)


def _follow(session: Session, desk: Desk, change: Change, *, delivery: str) -> str | None:
    name = assistant_of(session, change)
    if name is None:
        return None
    minutes = desk.assistant(name).slack.edit_minutes
    return follow(session, change, delivery=delivery, minutes=minutes)
