"""*Take over* on an escalation's card: from then on this agent speaks with the customer.

*Take over from owner* does so although somebody else has it, who is told.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.message import moment_of
from records import escalations
from records.errors import Conflict


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to both buttons; the card changes through the outbox."""

    @app.action("take_over")
    async def take_over(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _take_over(desk, action["value"], body, action)
        await attendance.attend(Place.of(client, body), work)

    @app.action("take_over_from")
    async def take_over_from(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        escalation, _, owner = action["value"].partition(" ")
        work = _take_over(desk, escalation, body, action, instead_of=owner)
        await attendance.attend(Place.of(client, body), work)


async def _take_over(
    desk: Desk,
    escalation_id: str,
    body: dict[str, Any],
    action: dict[str, Any],
    *,
    instead_of: str | None = None,
) -> None:
    agent, asked_at = body["user"]["id"], moment_of(action["action_ts"])

    def work(session: Session) -> None:
        escalation = escalations.get(session, escalation_id)
        if instead_of is not None and escalation.owner not in (instead_of, agent, None):
            raise Conflict(wording.conversations.STALE_OWNER)
        escalations.take_over(
            session, escalation_id, agent=agent, instead_of=instead_of, asked_at=asked_at
        )

    await desk.write(work)
