"""*Approve, and reject the other* in App Home: of two that contradict each other one is right."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.review import home, reviewing
from bot.review.home import Doorway, Outcome, decided
from bot.review.reviewing import Reviewer, Seen


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button."""

    @app.action("review_settle")
    async def settle(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)

        async def act() -> Outcome:
            return await _settled(desk, door, action["value"])

        await attendance.attend(Place.of(client, body), home.show(desk, door, act))


async def _settled(desk: Desk, door: Doorway, value: str) -> Outcome:
    right, right_seen, wrong, wrong_seen = value.split()
    example = await reviewing.settle(
        desk, Reviewer(door.client, door.user), Seen(right, right_seen), Seen(wrong, wrong_seen)
    )
    return decided(wording.home.SETTLED, example)
