"""*Skip*, *Back* and *Show* in App Home: which example a reviewer looks at."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.review import home
from bot.review.home import Doorway, Move, Outcome


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the buttons."""

    @app.action("review_skip")
    async def skip(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await _look(body, client, Outcome(move=Move.NEXT))

    @app.action("review_back")
    async def back(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        before = Doorway.of(client, body).state.back()
        await _look(body, client, Outcome(move=Move.SEE, state=before))

    @app.action("review_show")
    async def show(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        there = Doorway.of(client, body).state.showing(action["value"])
        await _look(body, client, Outcome(move=Move.SEE, state=there))

    async def _look(body: dict[str, Any], client: AsyncWebClient, outcome: Outcome) -> None:
        async def act() -> Outcome:
            return outcome

        showing = home.show(desk, Doorway.of(client, body), act)
        await attendance.attend(Place.of(client, body), showing)
