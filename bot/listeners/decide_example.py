"""*Approve*, *Approve as hand-over* and *Reject* on an example: nothing trains without them."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import learning


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the three buttons; the card changes through the outbox."""

    @app.action("approve_example")
    async def approve(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _decide(desk, action, body, approve=True))

    @app.action("approve_handover")
    async def approve_handover(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        deciding = _decide(desk, action, body, approve=True, hand_over=True)
        await attendance.attend(Place.of(client, body), deciding)

    @app.action("reject_example")
    async def reject(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _decide(desk, action, body, approve=False))


async def _decide(
    desk: Desk,
    action: dict[str, Any],
    body: dict[str, Any],
    *,
    approve: bool,
    hand_over: bool | None = None,
) -> None:
    await desk.write(
        lambda session: learning.decide(
            session,
            action["value"],
            approve=approve,
            actor=body["user"]["id"],
            should_escalate=hand_over,
        )
    )
