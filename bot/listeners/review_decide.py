"""*Approve*, *Approve all* and *Undo* in App Home: the next example follows at once."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.review import home, reviewing
from bot.review.home import Doorway, Move, Outcome, decided
from bot.review.reviewing import Reviewer
from bot.views.home import Notice


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the buttons."""

    @app.action("review_approve")
    async def approve(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)

        async def act() -> Outcome:
            return await _approved(desk, door, action["value"])

        await attendance.attend(Place.of(client, body), home.show(desk, door, act))

    @app.action("review_approve_all")
    async def approve_all(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)
        seen, *ids = action["value"].split()

        async def act() -> Outcome:
            reviewer = Reviewer(client, door.user)
            number = await reviewing.approve_all(desk, reviewer, ids, seen=seen)
            return Outcome(Notice(_approved_all(number, of=len(ids))), move=Move.STAY)

        await attendance.attend(Place.of(client, body), home.show(desk, door, act))

    @app.action("review_undo")
    async def undo(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        door = Doorway.of(client, body)

        async def act() -> Outcome:
            await reviewing.reopen(desk, Reviewer(client, door.user), action["value"])
            there = door.state.showing(action["value"])
            return Outcome(Notice(wording.home.REOPENED), move=Move.SEE, state=there)

        await attendance.attend(Place.of(client, body), home.show(desk, door, act))


async def _approved(desk: Desk, door: Doorway, value: str) -> Outcome:
    example_id, _, seen = value.partition(" ")
    reviewer = Reviewer(door.client, door.user)
    example = await reviewing.decide(desk, reviewer, example_id, approve=True, seen=seen)
    return decided(wording.home.APPROVED, example)


def _approved_all(number: int, *, of: int) -> str:
    if number == of:
        return wording.home.APPROVED_ALL.format(number=number)
    return wording.home.APPROVED_SOME.format(number=number, left=of - number)
