"""`/retrain [assistant]`: ask the worker for a new version."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import jobs
from records.assistant import Assistant, pick_assistant


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the slash command; the job's message comes through the outbox."""

    @app.command("/retrain")
    async def retrain(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        place = Place(client, command["user_id"], command["channel_id"])
        sentence = await attendance.answer(place, _retrain(desk, client, command))
        await ack(sentence or "")


async def _retrain(desk: Desk, client: AsyncWebClient, command: dict[str, Any]) -> str:
    assistant, user = _meant(desk, command), command["user_id"]
    await desk.roles.require_operator(client, assistant, user)
    await desk.write(lambda session: jobs.request(session, assistant.name, requested_by=user))
    channel = assistant.slack.channel
    shown = f"<#{channel}>" if channel.isupper() else f"#{channel.removeprefix('#')}"
    return wording.releases.RETRAIN_ASKED.format(assistant=assistant.name, channel=shown)


def _meant(desk: Desk, command: dict[str, Any]) -> Assistant:
    """The assistant that is named, or the one whose channel this is, or the only one."""
    named = (command.get("text") or "").strip() or None
    here = (command["channel_id"], command.get("channel_name"))
    of_channel = [a for a in desk.assistants.values() if a.slack.channel.removeprefix("#") in here]
    if named is None and len(of_channel) == 1:
        return of_channel[0]
    return pick_assistant(dict(desk.assistants), named)
