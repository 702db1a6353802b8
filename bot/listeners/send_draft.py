"""*Send to customer* on a draft: its words become the reply of the conversation's owner."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import drafts
from records.revisions import slack_source


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; the draft's message changes through the outbox."""

    @app.action("send_draft")
    async def send(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _send(desk, action["value"], body))


async def _send(desk: Desk, turn: str, body: dict[str, Any]) -> None:
    agent = body["user"]["id"]
    source = slack_source(body["channel"]["id"], body["message"]["ts"])
    await desk.write(lambda session: drafts.send(session, turn, agent=agent, source_key=source))
