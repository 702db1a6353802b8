"""*Ask again* on a question that was not answered."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.asking.asking import Asking
from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import trial_answers


def register(app: AsyncApp, desk: Desk, attendance: Attendance, asking: Asking) -> None:
    """Listen to the button; its message changes through the outbox."""

    @app.action("ask_again")
    async def ask_again(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()

        async def begin() -> None:
            user = body["user"]["id"]
            question = await desk.write(
                lambda session: trial_answers.ask_again(session, action["value"], user=user)
            )
            team = (body.get("team") or {}).get("id")
            asking.begin(client, [question], team=team)

        await attendance.attend(Place.of(client, body), begin())
