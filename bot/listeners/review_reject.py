"""*Reject because…* in App Home: a reason rejects at once, *Other…* asks for words."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.review import home, reviewing
from bot.review.home import Doorway, Outcome, decided
from bot.review.reviewing import Reviewer
from bot.views.rejecting import Choice, reject_modal


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the select."""

    @app.action("review_reject")
    async def reject(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door, choice = Doorway.of(client, body), Choice.read(action)

        async def act() -> Outcome:
            return await rejected(desk, door, choice.example, why=str(choice.reason))

        if choice.reason is None:
            form = _form(desk, door, choice.example)
            work = open_form(client, body["trigger_id"], work=form)
            await attendance.attend(Place.of(client, body), work)
        else:
            await attendance.attend(Place.of(client, body), home.show(desk, door, act))


async def rejected(desk: Desk, door: Doorway, example_id: str, *, why: str) -> Outcome:
    """Reject an example; App Home then shows the next one."""
    reviewer = Reviewer(door.client, door.user)
    example = await reviewing.decide(desk, reviewer, example_id, approve=False, note=why or None)
    return decided(wording.home.REJECTED, example)


async def _form(desk: Desk, door: Doorway, example_id: str) -> dict[str, Any]:
    await reviewing.allowed(desk, Reviewer(door.client, door.user), example_id)
    return reject_modal(example_id, home=door.state.dumped())
