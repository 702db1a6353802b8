"""App Home is opened, or loaded again: the queue of examples, and what flags led to."""

from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.review import home
from bot.review.home import Doorway
from bot.review.home_state import HomeState


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the event and to *Load again*."""

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") != "home":
            return
        left = event.get("view") or {}  # as it was when the event happened, perhaps long ago
        state = HomeState.loaded(left.get("private_metadata"))
        door = Doorway(client, event["user"], state, hash=left.get("hash"))
        await attendance.attend(Place(client, door.user, door.user), home.show(desk, door))

    @app.action("review_reload")
    async def reload(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        door = Doorway.of(client, body)
        await attendance.attend(Place.of(client, body), home.show(desk, door))

    @app.action("review_show_all")
    async def show_all(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        door = Doorway.of(client, body)
        unfiltered = replace(door, state=door.state.unfiltered())
        await attendance.attend(Place.of(client, body), home.show(desk, unfiltered))
