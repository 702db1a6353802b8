"""*Withdraw flag*, in the form or in a note: an agent takes back what they said of an answer."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.text import who
from bot.views.notice import notice_modal
from records import flags
from records.states import ExampleState


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button."""

    @app.action("withdraw_flag")
    async def withdraw(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _withdraw(desk, client, body, action["value"])
        await attendance.attend(Place.of(client, body), work)


async def _withdraw(
    desk: Desk, client: AsyncWebClient, body: dict[str, Any], turn_id: str
) -> str | None:
    """Withdraw, and say so in place of the form, or else in words of its own."""
    agent = body["user"]["id"]
    sentence = await desk.write(lambda session: _withdrawn(session, turn_id, agent))
    form = body.get("view")
    if form is None:
        return sentence
    notice = notice_modal(sentence, title=wording.review.FLAG_TITLE)
    await client.views_update(view_id=form["id"], view=notice)
    return None


def _withdrawn(session: Session, turn_id: str, agent: str) -> str:
    flag = flags.withdraw(session, turn_id, agent=agent)
    approved = flags.decided(session, flag, ExampleState.APPROVED)
    if not approved:
        return wording.review.FLAG_WITHDRAWN
    return wording.review.FLAG_WITHDRAWN_LATE.format(reviewer=who(approved[-1].decided_by or ""))
