"""*Discard* and *Take back* on a report: whether its challenger may ever get customers."""

from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import discarding, reports
from records.tables import Version


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to both buttons; the report's message changes through the outbox."""

    @app.action("discard")
    async def discard(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _turn(desk, client, action["value"], body, turn=discarding.discard)
        await attendance.attend(Place.of(client, body), work)

    @app.action("take_back")
    async def take_back(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _turn(desk, client, action["value"], body, turn=discarding.take_back)
        await attendance.attend(Place.of(client, body), work)


async def _turn(
    desk: Desk,
    client: AsyncWebClient,
    report_id: str,
    body: dict[str, Any],
    *,
    turn: Callable[..., Version],
) -> None:
    user = body["user"]["id"]
    report = await desk.read(lambda session: reports.get(session, report_id))
    await desk.roles.require_operator(client, desk.assistant(report.assistant), user)
    await desk.write(lambda session: turn(session, report.challenger, actor=user))
