"""*Approve*, *Approve as hand-over* and *Reject because…* on an example's card."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.review import reviewing
from bot.review.reviewing import Reviewer
from bot.views.rejecting import Choice, reject_modal


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the buttons and the select; the card changes through the outbox."""

    @app.action("approve_example")
    async def approve(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _approve(desk, client, action, body))

    @app.action("approve_handover")
    async def approve_handover(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        deciding = _approve(desk, client, action, body, hand_over=True)
        await attendance.attend(Place.of(client, body), deciding)

    @app.action("reject_example")
    async def reject(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        reviewer = Reviewer(client, body["user"]["id"])
        rejecting = _reject(desk, reviewer, action, trigger=body["trigger_id"])
        await attendance.attend(Place.of(client, body), rejecting)


async def _approve(
    desk: Desk,
    client: AsyncWebClient,
    action: dict[str, Any],
    body: dict[str, Any],
    *,
    hand_over: bool | None = None,
) -> None:
    reviewer = Reviewer(client, body["user"]["id"])
    example_id, _, seen = action["value"].partition(" ")
    await reviewing.decide(
        desk, reviewer, example_id, approve=True, hand_over=hand_over, seen=seen or None
    )


async def _reject(
    desk: Desk, reviewer: Reviewer, action: dict[str, Any], *, trigger: str
) -> str | None:
    """Reject for the reason that was chosen, or ask for one in words."""
    choice = Choice.read(action)
    if choice.reason is None:
        form = _form(desk, reviewer, choice.example)
        return await open_form(reviewer.client, trigger, work=form)
    note = str(choice.reason)
    await reviewing.decide(desk, reviewer, choice.example, approve=False, note=note)
    return None


async def _form(desk: Desk, reviewer: Reviewer, example_id: str) -> dict[str, Any]:
    await reviewing.allowed(desk, reviewer, example_id)
    return reject_modal(example_id)
