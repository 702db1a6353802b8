"""*Hand back* and *Not needed* on an escalation's card: the assistant answers again."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import endings


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to both buttons; the card changes through the outbox."""

    @app.action("hand_back")
    async def hand_back(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _hand_back(desk, action["value"], body))

    @app.action("dismiss")
    async def dismiss(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _dismiss(desk, action["value"], body))


async def _hand_back(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: endings.hand_back(session, escalation_id, agent=agent))


async def _dismiss(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: endings.dismiss(session, escalation_id, agent=agent))
