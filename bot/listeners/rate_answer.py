"""The thumbs below an answer on trial: *Good answer* is noted, *Bad answer* flags it.

Neither is a customer's word, so neither is an outcome.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place, Work
from bot.desk import Desk
from bot.review.flagging import flag, origin_of
from records import judgements


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the feedback buttons; the message changes through the outbox."""

    @app.action("rate_answer")
    async def rate(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        verdict, _, turn = action["value"].partition(":")
        if verdict == "good":
            work: Work = _like(desk, turn, user=body["user"]["id"])
        else:
            origin, agent = origin_of(body, turn), body["user"]["id"]
            work = flag(desk, client, trigger_id=body["trigger_id"], agent=agent, origin=origin)
        await attendance.attend(Place.of(client, body), work)


async def _like(desk: Desk, turn: str, *, user: str) -> None:
    await desk.write(lambda session: judgements.like(session, turn, user=user))
