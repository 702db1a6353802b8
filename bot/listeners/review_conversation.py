"""*Show conversation* in App Home: all that was said before the answer."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.review import reviewing
from bot.review.reviewing import Reviewer
from bot.review.threads import thread_of
from bot.views.conversation_modal import conversation_modal
from bot.views.home_example import thread_link
from records import examples
from records.tables import Example


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button."""

    @app.action("review_conversation")
    async def show(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        reviewer, example_id = Reviewer(client, body["user"]["id"]), action["value"]

        async def form() -> dict[str, Any]:
            await reviewing.allowed(desk, reviewer, example_id)
            address = await desk.addresses.of(client)
            example, thread = await desk.read(lambda session: _found(session, example_id))
            return conversation_modal(example, thread=thread_link(thread, address))

        work = open_form(client, body["trigger_id"], work=form())
        await attendance.attend(Place.of(client, body), work)


def _found(session: Session, example_id: str) -> tuple[Example, tuple[str, str] | None]:
    example = examples.get(session, example_id)
    return example, thread_of(session, example)
