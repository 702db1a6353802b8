"""*Roll back* on a report: the version before its challenger answers the customers again."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import reports, versions
from records.database import lock_assistant
from records.errors import Conflict
from records.tables import Report


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; the report's message changes through the outbox."""

    @app.action("rollback")
    async def rollback(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _roll_back(desk, client, action["value"], user=body["user"]["id"])
        await attendance.attend(Place.of(client, body), work)


async def _roll_back(desk: Desk, client: AsyncWebClient, report_id: str, *, user: str) -> None:
    report = await desk.read(lambda session: reports.get(session, report_id))
    await desk.roles.require_operator(client, desk.assistant(report.assistant), user)
    await desk.write(lambda session: _point_back(session, report, user=user))


def _point_back(session: Session, report: Report, *, user: str) -> None:
    """Roll back from the report's challenger only: a stale button must not undo another one."""
    lock_assistant(session, report.assistant)
    if versions.champion(session, report.assistant).id != report.challenger:
        raise Conflict(wording.releases.STALE_ROLLBACK.format(version=report.challenger))
    versions.rollback(session, report.assistant, actor=user)
