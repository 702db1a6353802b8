"""*Promote* on a report: its challenger answers the customers from now on."""

import asyncio
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

    @app.action("promote")
    async def promote(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _promote(desk, client, action["value"], user=body["user"]["id"])
        await attendance.attend(Place.of(client, body), work)


async def _promote(desk: Desk, client: AsyncWebClient, report_id: str, *, user: str) -> None:
    report = await desk.read(lambda session: reports.get(session, report_id))
    await desk.roles.require_operator(client, desk.assistant(report.assistant), user)
    await asyncio.to_thread(versions.check_files, desk.database, desk.artifacts, report.challenger)
    await desk.write(lambda session: _point(session, report, user=user))


def _point(session: Session, report: Report, *, user: str) -> None:
    """Promote on this report's evidence: it must speak of what serves now."""
    lock_assistant(session, report.assistant)
    current = versions.champion(session, report.assistant).id
    if report.champion is not None and current not in (report.champion, report.challenger):
        raise Conflict(
            wording.releases.STALE_REPORT.format(
                challenger=report.challenger, champion=report.champion, current=current
            )
        )
    versions.promote(session, report.challenger, actor=user)
