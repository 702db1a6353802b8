"""*Flag answer*: by button or message shortcut, saved at once, completed in a form.

The flag is on disk before the form opens, so closing the form loses nothing.
"""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.deliveries import first_time
from bot.review.flagging import answer_at, flag, origin_of
from bot.views.flag_modal import (
    CALLBACK,
    Origin,
    read_judgement,
    teaches_nothing_yet,
    without_echo,
)
from bot.views.notice import notice_modal
from records import escalations, flags
from records.errors import InvalidInput
from records.flags import FlaggedAt, Judgement
from records.tables import Flag


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button, the message shortcut and the form."""

    @app.action("flag_answer")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        origin = origin_of(body, action["value"])
        await attendance.attend(Place.of(client, body), _flag(desk, client, body, origin))

    @app.shortcut(CALLBACK)
    async def by_shortcut(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _flag_message(desk, client, body))

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        origin = Origin.loaded(view["private_metadata"])
        judgement = without_echo(read_judgement(view["state"]["values"]), origin)
        place = Place(client, body["user"]["id"], origin.channel, origin.thread_ts)

        async def save() -> None:
            is_news = await _complete(
                desk, view["id"], origin, agent=place.user, judgement=judgement
            )
            if is_news and teaches_nothing_yet(judgement):
                await attendance.tell(place, wording.review.FLAG_BARE)

        sentence = await attendance.answer(place, save())
        if sentence:
            view = notice_modal(sentence, title=wording.review.FLAG_TITLE)
            await ack(response_action="update", view=view)
        else:
            await ack()


async def _flag(
    desk: Desk, client: AsyncWebClient, body: dict[str, Any], origin: Origin
) -> str | None:
    agent, trigger = body["user"]["id"], body["trigger_id"]
    return await flag(desk, client, trigger_id=trigger, agent=agent, origin=origin)


async def _flag_message(desk: Desk, client: AsyncWebClient, body: dict[str, Any]) -> str | None:
    turn = _turn_in_button(body["message"], app=body.get("api_app_id"))
    if turn is not None:
        return await _flag(desk, client, body, origin_of(body, turn))
    channel, ts = body["channel"]["id"], body["message"]["ts"]
    shown = await desk.read(lambda session: answer_at(session, channel=channel, ts=ts))
    if shown is None:
        raise InvalidInput(wording.review.NOT_AN_ANSWER)
    return await _flag(desk, client, body, Origin(shown.turn, channel, shown.thread_ts))


def _turn_in_button(message: dict[str, Any], *, app: str | None) -> str | None:
    """The answer that one of our messages offers to flag."""
    if message.get("app_id") != app:
        return None
    for block in message.get("blocks") or []:
        for element in block.get("elements") or []:
            if element.get("action_id") == "flag_answer":
                value: str | None = element.get("value")
                return value
    return None


async def _complete(
    desk: Desk, view_id: str, origin: Origin, *, agent: str, judgement: Judgement
) -> bool:
    """Add the flag with its judgement, once however often the form is delivered: is it news?"""

    def add(session: Session) -> bool:
        if not first_time(session, f"view:{view_id}"):
            return False
        if _says_the_same(flags.last_word(session, origin.turn, agent), judgement):
            return False
        where = FlaggedAt(origin.channel, origin.thread_ts)
        said = flags.add(session, origin.turn, agent=agent, judgement=judgement, where=where)
        escalations.escalate_flagged(session, said)
        return True

    return await desk.write(add)


def _says_the_same(last: Flag | None, judgement: Judgement) -> bool:
    """Whether an agent's last word is the same, so that nothing is added by repeating it."""
    if last is None:
        return False
    said = Judgement(last.reason, last.correction, last.should_escalate, last.note)
    return said == judgement
