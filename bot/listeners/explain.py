"""`/explain`, and the message shortcut *Explain answer*: what an answer was made from, and by whom.

Slash commands don't work in threads, where answers stand; the shortcut does.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.releases.answer_shown import answer_in_buttons, answer_in_message, answer_named
from bot.releases.naming import names_of
from bot.views.content import Content
from bot.views.explanation import explanation
from records import conversations, lineage
from records.errors import InvalidInput

SHORTCUT = "explain_answer"


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to command and shortcut; the answer is seen by whoever asked."""

    @app.command("/explain")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _explain_named(desk, str(command.get("text") or "")))

    @app.shortcut(SHORTCUT)
    async def by_shortcut(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _explain_message(desk, body))


async def _explain_named(desk: Desk, named: str) -> Content:
    if not named.strip():
        raise InvalidInput(wording.explaining.USAGE)
    return await desk.read(lambda session: _explained(session, desk, answer_named(session, named)))


async def _explain_message(desk: Desk, body: dict[str, Any]) -> Content:
    channel, ts = body["channel"]["id"], body["message"]["ts"]
    offered = answer_in_buttons(body["message"], app=body.get("api_app_id"))

    def look(session: Session) -> Content:
        turn = offered or answer_in_message(session, channel=channel, ts=ts)
        return _explained(session, desk, turn)

    return await desk.read(look)


def _explained(session: Session, desk: Desk, turn_id: str) -> Content:
    """The explanation, of answers that the workspace may see."""
    turn = conversations.turn(session, turn_id)
    assistant = desk.assistant(conversations.get(session, turn.conversation_id).assistant)
    names = names_of(session, assistant.name)
    return explanation(lineage.explain(session, turn_id), names=names)
