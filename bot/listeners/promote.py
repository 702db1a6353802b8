"""*Promote* on a report: its challenger answers the customers from now on."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.releases import promotion
from bot.releases.naming import names_of
from records import reports, versions
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


async def _promote(desk: Desk, client: AsyncWebClient, report_id: str, *, user: str) -> str | None:
    report = await desk.read(lambda session: reports.get(session, report_id))
    return await promotion.promote(
        desk,
        client,
        report.challenger,
        user=user,
        check=lambda session: _require_present(session, report),
    )


def _require_present(session: Session, report: Report) -> None:
    """See that a report speaks of what serves now."""
    current = versions.champion(session, report.assistant).id
    if report.champion is not None and current not in (report.champion, report.challenger):
        names = names_of(session, report.assistant)
        raise Conflict(
            wording.releases.STALE_REPORT.format(
                challenger=names.full(report.challenger),
                champion=names.full(report.champion),
                current=names.full(current),
            )
        )
