"""`/versions [assistant]`: what was trained, how far each version is, what the gate said."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.releases.addressed import assistant_of, first_word
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.version_list import MOST, Listed, version_list
from records import versions
from records.ids import utc_now


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the command; the answer is seen by whoever asked."""

    @app.command("/versions")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _list(desk, command))


async def _list(desk: Desk, command: dict[str, Any]) -> Content:
    assistant = assistant_of(desk, command, named=first_word(command))
    return await desk.read(lambda session: _listed(session, assistant.name))


def _listed(session: Session, assistant: str) -> Content:
    newest_first = versions.listed(session, assistant)[::-1]
    shown = [
        Listed(version, versions.verdict_of(session, version.id)) for version in newest_first[:MOST]
    ]
    return version_list(
        assistant,
        shown,
        left_out=len(newest_first) - len(shown),
        now=utc_now(),
        names=names_of(session, assistant),
    )
