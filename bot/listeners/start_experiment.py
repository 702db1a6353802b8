"""*Start experiment* on a report, and `/experiment [assistant]`: some customers get a version.

Where one runs, the command shows how it stands.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.incoming.deliveries import first_time
from bot.messages.experiments import shown
from bot.releases.addressed import assistant_of, first_word
from bot.releases.naming import names_of
from bot.views.experiment import Shown, experiment_view
from bot.views.experiment_form import (
    CALLBACK,
    MOST_VERSIONS,
    Origin,
    experiment_form,
    read_choice,
)
from bot.views.notice import notice_modal
from bot.views.report import FIRST_SHARE
from bot.views.version_names import VersionNames
from records import experiments, reports, versions
from records.errors import Conflict, NotFound
from records.experiments import Side
from records.ids import utc_now

ARM = "challenger"


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to button, command and form; the experiment's message comes through the outbox."""

    @app.action("start_experiment")
    async def by_button(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        place = Place.of(client, body)
        await attendance.attend(place, _start_first(desk, place, action["value"]))

    @app.command("/experiment")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _open(desk, client, command))

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        origin = Origin.loaded(view["private_metadata"])
        version, share = read_choice(view["state"]["values"])
        place = Place(client, body["user"]["id"], origin.channel)
        starting = _start(desk, place, version, share, once=f"view:{view['id']}")
        sentence = await attendance.answer(place, starting, lasts=False)
        if sentence:
            title = wording.experiments.FORM_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack()


async def _start_first(desk: Desk, place: Place, report_id: str) -> None:
    report = await desk.read(lambda session: reports.get(session, report_id))
    await _start(desk, place, report.challenger, FIRST_SHARE)


async def _start(
    desk: Desk, place: Place, version_id: str, share: float, *, once: str | None = None
) -> None:
    """Start it; `once` names a delivery that may come again."""
    version = await desk.read(lambda session: versions.get(session, version_id))
    await desk.roles.require_operator(place.client, desk.assistant(version.assistant), place.user)
    await asyncio.to_thread(versions.check_files, desk.database, desk.artifacts, version_id)

    def start(session: Session) -> None:
        if once is None or first_time(session, once):
            side = Side(ARM, version_id, share)
            _require_other(session, version_id, assistant=version.assistant)
            experiments.start(session, version.assistant, [side], actor=place.user)

    await desk.write(start)


def _require_other(session: Session, version_id: str, *, assistant: str) -> None:
    """See that a version is not what everybody gets already."""
    if versions.champion(session, assistant).id == version_id:
        named = names_of(session, assistant).first(version_id)
        raise Conflict(wording.experiments.IS_CHAMPION.format(version=named))


async def _open(desk: Desk, client: AsyncWebClient, command: dict[str, Any]) -> str | None:
    assistant = assistant_of(desk, command, named=first_word(command))
    origin = Origin(assistant.name, command["channel_id"])

    async def make() -> dict[str, Any]:
        found = await desk.read(lambda session: _look(session, origin, desk))
        if isinstance(found, Offer):
            await desk.roles.require_operator(client, assistant, command["user_id"])
            return experiment_form(
                origin, found.versions, champion=found.champion, names=found.names
            )
        return experiment_view(found)

    return await open_form(client, command["trigger_id"], work=make())


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be tried where nothing is."""

    versions: Sequence[str]
    champion: str
    names: VersionNames


def _look(session: Session, origin: Origin, desk: Desk) -> Offer | Shown:
    """The running experiment, or what one may be started with."""
    running = experiments.running(session, origin.assistant)
    if running is not None:
        return shown(session, running, desk=desk, at=utc_now())
    champion = versions.champion(session, origin.assistant).id
    found = versions.candidates(session, origin.assistant, most=MOST_VERSIONS)
    if not found:
        raise NotFound(wording.experiments.NO_CANDIDATE.format(assistant=origin.assistant))
    names = names_of(session, origin.assistant)
    return Offer([version.id for version in found], champion, names)
