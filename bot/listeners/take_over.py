"""*Take over* on an escalation's card: from then on this agent speaks with the customer."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import escalations


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; the card changes through the outbox."""

    @app.action("take_over")
    async def take_over(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _take_over(desk, action["value"], body))


async def _take_over(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: escalations.take_over(session, escalation_id, agent=agent))
