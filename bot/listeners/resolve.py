"""*Resolve* on an escalation's card: a form asks how it ended; then the assistant answers again."""

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
    RESOLVE_CALLBACK,
    Ending,
    Origin,
    read_ending,
    resolve_modal,
)
from bot.views.notice import notice_modal
from records import endings, escalations, transcripts
from records.tables import Turn


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to button and form; card and proposed example come through the outbox."""

    @app.action("resolve")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        origin = Origin(action["value"], body["channel"]["id"])
        form = _form(desk, origin, agent=body["user"]["id"])
        await attendance.attend(
            Place.of(client, body), open_form(client, body["trigger_id"], work=form)
        )

    @app.view(RESOLVE_CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        origin = Origin.loaded(view["private_metadata"])
        place = Place(client, body["user"]["id"], origin.channel)
        ending = read_ending(view)
        work = _resolve(desk, view["id"], origin, agent=place.user, ending=ending)
        sentence = await attendance.answer(place, work)
        if sentence:
            title = wording.conversations.RESOLVE_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack()


async def _form(desk: Desk, origin: Origin, *, agent: str) -> dict[str, Any]:
    """The form, for the one who has the conversation."""

    def look(session: Session) -> list[Turn]:
        escalation = escalations.get(session, origin.escalation)
        escalations.require_hold(escalation, agent, "resolve it")
        return transcripts.replies(session, escalation)

    return resolve_modal(origin, replies=await desk.read(look))


async def _resolve(desk: Desk, view_id: str, origin: Origin, *, agent: str, ending: Ending) -> None:
    """End it, once however often the form is delivered."""

    def end(session: Session) -> None:
        if first_time(session, f"view:{view_id}"):
            endings.resolve(
                session,
                origin.escalation,
                agent=agent,
                resolution=ending.resolution,
                save_example=ending.right_answer is not None,
                right_answer=ending.right_answer,
                note=ending.note,
            )

    await desk.write(end)
