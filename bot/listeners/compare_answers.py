"""Which of two answers is better: the first judgement counts, and shows whose they were."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import judgements
from records.judgements import Better


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the four buttons; the messages change through the outbox."""

    @app.action(re.compile("^judge_"))
    async def judge(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        better = Better(action["action_id"].removeprefix("judge_"))
        work = _judge(desk, action["value"], better, user=body["user"]["id"])
        await attendance.attend(Place.of(client, body), work)


async def _judge(desk: Desk, question: str, better: Better, *, user: str) -> None:
    await desk.write(lambda session: judgements.judge(session, question, better, user=user))
