"""*Edit* in App Home: a form with the right answer, which saves and approves in one go."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.review import home, reviewing
from bot.review.home import Doorway, Outcome, decided
from bot.review.home_state import HomeState
from bot.review.reviewing import Reviewer
from bot.views.edit_modal import CALLBACK, Edited, edit_modal, read_edited
from bot.views.notice import notice_modal
from records import examples
from records.states import ExampleState


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button and the form."""

    @app.action("review_edit")
    async def edit(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)
        work = open_form(client, body["trigger_id"], work=_form(desk, door, action["value"]))
        await attendance.attend(Place.of(client, body), work)

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        edited = read_edited(view)
        if edited.is_empty:
            await ack(response_action="errors", errors={"chosen": wording.home.EDIT_EMPTY})
            return
        door = Doorway(client, body["user"]["id"], HomeState.loaded(edited.home))
        place = Place(client, door.user, door.user)
        sentence = await attendance.answer(place, _save(desk, door, edited, view["id"]))
        if sentence:
            await ack(response_action="update", view=notice_modal(sentence))
        else:
            await ack()


async def _form(desk: Desk, door: Doorway, example_id: str) -> dict[str, Any]:
    reviewer = Reviewer(door.client, door.user)
    assistant = await reviewing.allowed(desk, reviewer, example_id)
    example = await desk.read(lambda session: examples.get(session, example_id))
    examples.require_waiting(example)
    return edit_modal(example, four_eyes=assistant.slack.four_eyes, home=door.state.dumped())


async def _save(desk: Desk, door: Doorway, edited: Edited, view_id: str) -> None:
    example = await reviewing.edit(
        desk,
        Reviewer(door.client, door.user),
        edited.example,
        chosen=edited.chosen,
        should_escalate=edited.should_escalate,
        once=f"view:{view_id}",
        seen=edited.seen,
    )

    async def act() -> Outcome:
        if example.state is ExampleState.PROPOSED:
            return decided(wording.home.SAVED, example, can_undo=False)
        return decided(wording.home.APPROVED, example)

    await home.show(desk, door, act)
