"""*Resolve* on an escalation's card: the assistant may answer the customer again."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import escalations


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; card and proposed example come through the outbox."""

    @app.action("resolve")
    async def resolve(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _resolve(desk, action["value"], body))


async def _resolve(desk: Desk, escalation_id: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    await desk.write(lambda session: escalations.resolve(session, escalation_id, agent=agent))
