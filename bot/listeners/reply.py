"""A message in an escalation's thread: to the customer from its owner, internal from all others.

An event is acknowledged when it is safe; where the database cannot take the message in, its author
is told that the customer has not got it.
"""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.incoming.unrecorded import Unrecorded
from records.errors import StorageError


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to messages in channels that the bot is in."""
    unrecorded = Unrecorded()

    @app.event("message")
    async def reply(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        message = Message.read(event)
        if message is None or message.is_note:
            return
        try:
            hint = await take(desk, client, message, delivery=str(body["event_id"]))
        except StorageError:
            await unrecorded.tell(client, message)
            raise
        if hint:
            place = Place(client, message.user, message.channel, message.thread_ts)
            await attendance.tell(place, hint)
