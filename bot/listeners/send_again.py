"""*Retry* on a reply that no customer had yet: it is shown anew to whoever is connected."""

from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.attendance import Attendance, Place
from bot.desk import Desk
from records import conversations, delivery
from records.ids import utc_now


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; the message that carries it changes through the outbox."""

    @app.action("send_again")
    async def send_again(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        place = Place.of(client, body)
        await attendance.attend(place, _send_again(desk, action["value"], user=place.user))


async def _send_again(desk: Desk, turn_id: str, *, user: str) -> None:
    def work(session: Session) -> None:
        conversation_id = conversations.turn(session, turn_id).conversation_id
        name = conversations.get(session, conversation_id).assistant
        wait = timedelta(minutes=desk.assistant(name).slack.unread_minutes)
        delivery.send_again(session, turn_id, actor=user, since=utc_now() - wait)

    await desk.write(work)
