"""`/compare A B`: the newest report on two versions, or how to get one."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.messages.releases import summary, why
from bot.releases.addressed import words_of
from bot.text import literal
from bot.views.content import Content
from bot.views.report import dated_report
from records import reports, versions
from records.errors import InvalidInput
from records.tables import Report

_TWO = 2


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the command; the answer is seen by whoever asked."""

    @app.command("/compare")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _compare(desk, words_of(command)))


async def _compare(desk: Desk, named: list[str]) -> str | Content:
    if len(named) != _TWO:
        raise InvalidInput(wording.releases.COMPARE_USAGE)
    first, second = named
    if first == second:
        raise InvalidInput(wording.releases.COMPARE_SAME)
    report = await desk.read(lambda session: _newest(session, first, second, desk=desk))
    if report is None:
        return wording.releases.NO_REPORT.format(first=literal(first), second=literal(second))
    return dated_report(report, summary=summary(desk, report), why=why(report))


def _newest(session: Session, first: str, second: str, *, desk: Desk) -> Report | None:
    one, other = (versions.get(session, name) for name in (first, second))
    desk.assistant(one.assistant)
    if one.assistant != other.assistant:
        raise InvalidInput(
            wording.releases.COMPARE_OTHERS.format(
                first=one.id, one=one.assistant, second=other.id, other=other.assistant
            )
        )
    return reports.newest_on(session, one.id, other.id)
