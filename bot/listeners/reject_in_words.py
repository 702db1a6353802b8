"""*Other…* as the reason of a rejection: the form in which a reviewer writes why."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.listeners.review_reject import rejected
from bot.review import home, reviewing
from bot.review.home import Doorway, Outcome
from bot.review.home_state import HomeState
from bot.review.reviewing import Reviewer
from bot.views.notice import notice_modal
from bot.views.rejecting import CALLBACK, read_rejection


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the form, which cards and App Home share."""

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        example_id, why, behind = read_rejection(view)
        reviewer = Reviewer(client, body["user"]["id"])
        rejecting = _reject(desk, reviewer, example_id, why=why, behind=behind)
        sentence = await attendance.answer(Place(client, reviewer.user, reviewer.user), rejecting)
        if sentence:
            await ack(response_action="update", view=notice_modal(sentence))
        else:
            await ack()


async def _reject(
    desk: Desk, reviewer: Reviewer, example_id: str, *, why: str, behind: str | None
) -> None:
    if behind is None:
        await reviewing.decide(desk, reviewer, example_id, approve=False, note=why or None)
        return
    door = Doorway(reviewer.client, reviewer.user, HomeState.loaded(behind))
    outcome = await rejected(desk, door, example_id, why=why)

    async def act() -> Outcome:
        return outcome

    await home.show(desk, door, act)
