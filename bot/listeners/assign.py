"""*Assign to…* on an escalation's card: a colleague is asked to take it over."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.incoming.deliveries import first_time
from bot.views.escalation_forms import (
    ASSIGN_CALLBACK,
    ASSIGNEE,
    Origin,
    assign_modal,
    read_assignee,
)
from bot.views.notice import notice_modal
from records import escalations, handling
from records.errors import InvalidInput

_SLACKBOT = "USLACKBOT"
"""Slack says of its own bot that it is none."""


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to button and form; the colleague is asked through the outbox."""

    @app.action("assign")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        origin = Origin(action["value"], body["channel"]["id"])
        form = _form(desk, origin)
        await attendance.attend(
            Place.of(client, body), open_form(client, body["trigger_id"], work=form)
        )

    @app.view(ASSIGN_CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        origin = Origin.loaded(view["private_metadata"])
        place = Place(client, body["user"]["id"], origin.channel)
        assignee = read_assignee(view["state"]["values"])
        work = _assign(desk, place, view["id"], origin, assignee=assignee)
        sentence = await attendance.answer(place, work)
        if sentence is None:
            await ack()
        elif "<@" in sentence:  # Slack shows no mention beside a field
            title = wording.conversations.ASSIGN_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack(response_action="errors", errors={ASSIGNEE: sentence})


async def _form(desk: Desk, origin: Origin) -> dict[str, Any]:
    def look(session: Session) -> None:
        escalations.require_unresolved(escalations.get(session, origin.escalation))

    await desk.read(look)
    return assign_modal(origin)


async def _assign(desk: Desk, place: Place, view_id: str, origin: Origin, *, assignee: str) -> None:
    """Ask the colleague, once however often the form is delivered."""
    await _require_person(place.client, assignee)

    def assign(session: Session) -> None:
        if first_time(session, f"view:{view_id}"):
            handling.assign(session, origin.escalation, agent=place.user, assignee=assignee)

    await desk.write(assign)


async def _require_person(client: AsyncWebClient, user: str) -> None:
    """See that somebody can speak with customers.

    Raises:
        InvalidInput: it is a bot, or somebody who has left.
    """
    known = (await client.users_info(user=user))["user"] or {}
    if known.get("is_bot") or user == _SLACKBOT:
        raise InvalidInput(wording.conversations.ASSIGN_A_BOT, field=ASSIGNEE)
    if known.get("deleted"):
        raise InvalidInput(wording.conversations.ASSIGN_GONE, field=ASSIGNEE)
