"""*Roll back* on a report or on the news of a promotion, and `/rollback [assistant]`."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.incoming.deliveries import first_time
from bot.releases.addressed import assistant_of, first_word
from bot.releases.naming import names_of
from bot.views.notice import notice_modal
from bot.views.rollback_form import CALLBACK, Way, rollback_form
from records import experiments, reports, versions
from records.assistant import Assistant
from records.database import lock_assistant
from records.errors import Conflict
from records.tables import Report, Version


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to button, command and form; messages change through the outbox."""

    @app.action("rollback")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _roll_back(desk, client, action["value"], user=body["user"]["id"])
        await attendance.attend(Place.of(client, body), work)

    @app.action("rollback_release")
    async def by_news(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        version, _, release = action["value"].partition(" ")
        work = _take_back(desk, client, version, release=int(release), user=body["user"]["id"])
        await attendance.attend(Place.of(client, body), work)

    @app.command("/rollback")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _open(desk, client, command))

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        way = Way.loaded(view["private_metadata"])
        place = Place(client, body["user"]["id"], way.channel)
        sentence = await attendance.answer(place, _go(desk, place, view["id"], way), lasts=False)
        if sentence:
            title = wording.releases.ROLLBACK_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack()


async def _roll_back(desk: Desk, client: AsyncWebClient, report_id: str, *, user: str) -> None:
    report = await desk.read(lambda session: reports.get(session, report_id))
    await desk.roles.require_operator(client, desk.assistant(report.assistant), user)
    await desk.write(lambda session: _point_back(session, report, user=user))


async def _take_back(
    desk: Desk, client: AsyncWebClient, version_id: str, *, release: int, user: str
) -> None:
    version = await desk.read(lambda session: versions.get(session, version_id))
    await desk.roles.require_operator(client, desk.assistant(version.assistant), user)

    def back(session: Session) -> None:
        lock_assistant(session, version.assistant)
        current = versions.pointer(session, version.assistant)
        if current is None or current.id != release:
            raise Conflict(_stale(session, version))
        versions.rollback(session, version.assistant, actor=user)

    await desk.write(back)


def _point_back(session: Session, report: Report, *, user: str) -> None:
    """Roll back from the report's challenger only: a stale button must not undo another one."""
    lock_assistant(session, report.assistant)
    if versions.champion(session, report.assistant).id != report.challenger:
        raise Conflict(_stale(session, versions.get(session, report.challenger)))
    versions.rollback(session, report.assistant, actor=user)


def _stale(session: Session, version: Version) -> str:
    named = names_of(session, version.assistant).first(version.id)
    return wording.releases.STALE_ROLLBACK.format(version=named)


async def _open(desk: Desk, client: AsyncWebClient, command: dict[str, Any]) -> str | None:
    assistant = assistant_of(desk, command, named=first_word(command))

    async def make() -> dict[str, Any]:
        await desk.roles.require_operator(client, assistant, command["user_id"])
        return await desk.read(
            lambda session: _form(session, assistant, channel=command["channel_id"])
        )

    return await open_form(client, command["trigger_id"], work=make())


def _form(session: Session, assistant: Assistant, *, channel: str) -> dict[str, Any]:
    way = Way(
        assistant.name,
        champion=versions.champion(session, assistant.name).id,
        target=versions.before(session, assistant.name).id,
        channel=channel,
    )
    running = experiments.running(session, assistant.name)
    names = names_of(session, assistant.name)
    return rollback_form(way, experiment_runs=running is not None, names=names)


async def _go(desk: Desk, place: Place, view_id: str, way: Way) -> None:
    """Go the way that was confirmed, and no other, once however often the form is delivered."""
    await desk.roles.require_operator(place.client, desk.assistant(way.assistant), place.user)

    def go(session: Session) -> None:
        if not first_time(session, f"view:{view_id}"):
            return
        lock_assistant(session, way.assistant)
        champion = versions.champion(session, way.assistant).id
        if (champion, versions.before(session, way.assistant).id) != (way.champion, way.target):
            raise Conflict(wording.releases.ROLLBACK_CHANGED.format(assistant=way.assistant))
        versions.rollback(session, way.assistant, actor=place.user)

    await desk.write(go)
