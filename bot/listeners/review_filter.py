"""A reviewer narrows the queue in App Home: by assistant, source, reason, or whose it is."""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.review import home
from bot.review.home import Doorway
from bot.views.home_filters import Filter, filtered


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the selects."""

    async def narrow(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)
        narrowed = replace(door, state=filtered(door.state, action))
        await attendance.attend(Place.of(client, body), home.show(desk, narrowed))

    for name in Filter:
        app.action(str(name))(narrow)
