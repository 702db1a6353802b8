"""*Pause* and *Resume* on an escalation's card: the owner waits for something else meanwhile."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import handling


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to both buttons; the card changes through the outbox."""

    @app.action("pause")
    async def pause(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _pause(desk, action["value"], body))

    @app.action("resume")
    async def resume(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _resume(desk, action["value"], body))


async def _pause(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: handling.pause(session, escalation_id, agent=agent))


async def _resume(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: handling.resume(session, escalation_id, agent=agent))
