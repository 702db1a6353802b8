"""Opening the bot's messages for the first time: how to ask, and which versions there are."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.asking.help import help_for
from bot.attendance import Attendance
from bot.desk import Desk
from bot.incoming.deliveries import was_noted
from bot.incoming.said_once import Where, say_once


def register(app: AsyncApp, desk: Desk, _: Attendance) -> None:
    """Listen to people who open the messages tab."""

    @app.event("app_home_opened", matchers=[_is_messages_tab])
    async def opened(event: dict[str, Any], client: AsyncWebClient) -> None:
        key = f"opening:{event['user']}"
        if await desk.read(lambda session: was_noted(session, key)):
            return
        shown = await desk.read(lambda session: help_for(session, desk, opening=True))
        await say_once(desk, Where(client, event["channel"]), shown, key=key)


async def _is_messages_tab(event: dict[str, Any]) -> bool:
    return event.get("tab") == "messages"
