"""*Flag answer*: by button or message shortcut, saved at once, completed in a form.

The flag is on disk before the form opens, so closing the form loses nothing.
"""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place, explained
from bot.deliveries import first_time
from bot.desk import Desk
from bot.views.flag_modal import (
    CALLBACK,
    Origin,
    flag_modal,
    loading_modal,
    notice_modal,
    prefilled,
    read_judgement,
    without_echo,
)
from records import conversations, escalations, learning, outbox
from records.errors import InvalidInput, UnderstudyError
from records.learning import Judgement
from records.tables import Escalation, Flag

_FORM_PATIENCE_SECONDS = 1.0
"""How long the form waits for the database before a loading view takes its place."""


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button, the message shortcut and the form."""

    @app.action("flag_answer")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        origin = Origin(action["value"], body["channel"]["id"], body["message"]["ts"])
        await attendance.attend(Place.of(client, body), _flag(desk, client, body, origin))

    @app.shortcut(CALLBACK)
    async def by_shortcut(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _flag_message(desk, client, body))

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        judgement = without_echo(read_judgement(view["state"]["values"]), prefilled(view))
        if judgement is None:
            await ack(
                response_action="errors", errors={"correction": wording.review.FLAG_UNCHANGED}
            )
            return
        origin = Origin.loaded(view["private_metadata"])
        place = Place(client, body["user"]["id"], origin.channel)
        saving = _complete(desk, view["id"], origin, agent=place.user, judgement=judgement)
        sentence = await attendance.answer(place, saving)
        if sentence:
            await ack(response_action="update", view=notice_modal(sentence))
        else:
            await ack()


async def _flag_message(desk: Desk, client: AsyncWebClient, body: dict[str, Any]) -> str | None:
    channel, message = body["channel"]["id"], body["message"]
    turn = _turn_in_button(message, app=body.get("api_app_id"))
    if turn is None:
        turn = await desk.read(
            lambda session: _turn_shown(session, channel=channel, ts=message["ts"])
        )
    return await _flag(desk, client, body, Origin(turn, channel, message["ts"]))


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


def _turn_shown(session: Session, *, channel: str, ts: str) -> str:
    """The answer that the card which stands there is about."""
    row = outbox.find(session, channel=channel, ts=ts)
    if row is not None and row.kind == outbox.Kind.ESCALATION_OPENED:
        turn = session.get_one(Escalation, row.subject).turn_id
        if turn is not None:
            return turn
    raise InvalidInput(wording.review.NOT_AN_ANSWER)


async def _flag(
    desk: Desk, client: AsyncWebClient, body: dict[str, Any], origin: Origin
) -> str | None:
    agent, trigger = body["user"]["id"], body["trigger_id"]
    saving = asyncio.create_task(
        desk.write(lambda session: _save_flag(session, origin.turn, agent=agent))
    )
    await asyncio.wait({saving}, timeout=_FORM_PATIENCE_SECONDS)
    try:
        if saving.done():
            await client.views_open(trigger_id=trigger, view=flag_modal(origin, saving.result()))
        else:
            await _open_slowly(client, trigger, origin, saving)
    except SlackApiError as error:
        if error.response.get("error") not in ("expired_trigger_id", "exchanged_trigger_id"):
            raise
        await saving
        return wording.review.FLAG_LATE
    return None


async def _open_slowly(
    client: AsyncWebClient, trigger: str, origin: Origin, saving: "asyncio.Task[str]"
) -> None:
    opened = await client.views_open(trigger_id=trigger, view=loading_modal(origin))
    view_id = opened["view"]["id"]
    try:
        view = flag_modal(origin, await saving)
    except UnderstudyError as error:
        view = notice_modal(explained(error))
    await client.views_update(view_id=view_id, view=view)


def _save_flag(session: Session, turn_id: str, *, agent: str) -> str:
    """Flag the answer, once per agent until the form says more; returns the answer's text."""
    turn = conversations.turn(session, turn_id)
    known = session.scalar(select(exists().where(Flag.turn_id == turn_id, Flag.agent == agent)))
    if not known:
        learning.flag(session, turn_id, agent=agent, judgement=Judgement())
    return turn.models_words


async def _complete(
    desk: Desk, view_id: str, origin: Origin, *, agent: str, judgement: Judgement
) -> None:
    """Add the flag with its judgement, once however often the form is delivered."""

    def add(session: Session) -> None:
        if first_time(session, f"view:{view_id}"):
            flag = learning.flag(session, origin.turn, agent=agent, judgement=judgement)
            escalations.escalate_flagged(session, flag)

    await desk.write(add)
