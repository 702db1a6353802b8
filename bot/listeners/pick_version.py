"""Choosing a version in the help: a thread begins in which that version answers.

Its head says so only when it is so.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.releases.naming import names_of
from bot.views.asking_help import picked_message
from records import asking, versions


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the choice."""

    @app.action("pick_version")
    async def pick(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        version = action["selected_option"]["value"]
        await attendance.attend(Place.of(client, body), _pick(desk, client, body, version))


async def _pick(desk: Desk, client: AsyncWebClient, body: dict[str, Any], version: str) -> None:
    found = await desk.read(lambda session: versions.get(session, version))
    desk.assistant(found.assistant)
    channel = body["channel"]["id"]
    posted = await client.chat_postMessage(channel=channel, text=wording.machine.LOADING)
    thread, user = asking.Thread(channel, str(posted["ts"])), body["user"]["id"]
    await desk.write(lambda session: asking.pin(session, thread, version=version, user=user))
    names = await desk.read(lambda session: names_of(session, found.assistant))
    shown = picked_message(version, names=names)
    await client.chat_update(channel=channel, ts=thread.ts, text=shown.text, blocks=shown.blocks)
