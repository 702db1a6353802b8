"""*Ramp to*, *Stop* and *Promote* on a running experiment, in its message or in `/experiment`."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.messages.experiments import shown
from bot.releases import promotion
from bot.releases.naming import names_of
from bot.views.experiment import experiment_view
from records import experiments
from records.database import lock_assistant
from records.errors import Conflict
from records.ids import utc_now
from records.states import ExperimentState
from records.tables import Experiment

_RAMP = re.compile(r"ramp:(\d+)")
_PROMOTE = re.compile(r"promote_arm:\d+")


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the buttons; messages change through the outbox, an open view at once."""

    @app.action(_RAMP)
    async def ramp(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        match = _RAMP.fullmatch(action["action_id"])
        assert match is not None, "Bolt calls only what matches"
        share = min(100, int(match[1])) / 100
        place, experiment = Place.of(client, body), action["value"]
        work = _steer(desk, place, experiment, lambda s, e: _ramp(s, e, share, user=place.user))
        await attendance.attend(place, _then_shown(desk, client, body, experiment, work))

    @app.action("stop_experiment")
    async def stop(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        place, experiment = Place.of(client, body), action["value"]
        work = _steer(desk, place, experiment, lambda s, e: _stop(s, e, user=place.user))
        await attendance.attend(place, _then_shown(desk, client, body, experiment, work))

    @app.action(_PROMOTE)
    async def promote(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        experiment, _, version = action["value"].partition(" ")
        place = Place.of(client, body)
        work = promotion.promote(
            desk,
            client,
            version,
            user=place.user,
            check=lambda session: _require_arm(session, experiment, version),
        )
        await attendance.attend(place, _then_shown(desk, client, body, experiment, work))


Work = Coroutine[Any, Any, str | None]


async def _steer(
    desk: Desk, place: Place, experiment_id: str, change: Callable[[Session, Experiment], None]
) -> str | None:
    """Change the experiment that was pressed on, if it is the one that runs."""
    found = await desk.read(lambda session: experiments.get(session, experiment_id))
    await desk.roles.require_operator(place.client, desk.assistant(found.assistant), place.user)
    await desk.write(lambda session: change(session, _running(session, experiment_id)))
    return None


def _ramp(session: Session, experiment: Experiment, share: float, *, user: str) -> None:
    """Give the arm a greater share; a button from before a colleague's takes nobody away.

    Raises:
        Conflict: it has that share already, or a greater one.
    """
    (arm,) = experiment.arms
    if share <= arm.share:
        named = names_of(session, experiment.assistant).first(arm.version)
        raise Conflict(wording.experiments.NOT_MORE.format(version=named, share=f"{arm.share:.0%}"))
    experiments.set_shares(session, experiment.assistant, {arm.name: share}, actor=user)


def _stop(session: Session, experiment: Experiment, *, user: str) -> None:
    experiments.stop(session, experiment.assistant, actor=user)


def _running(session: Session, experiment_id: str) -> Experiment:
    """The experiment, with its assistant's lock held.

    Raises:
        Conflict: it has ended.
    """
    found = experiments.get(session, experiment_id)
    lock_assistant(session, found.assistant)
    session.refresh(found)
    if found.state is not ExperimentState.RUNNING:
        raise Conflict(wording.experiments.ENDED)
    return found


def _require_arm(session: Session, experiment_id: str, version: str) -> None:
    """See that the experiment runs and tries the version."""
    if version not in [arm.version for arm in _running(session, experiment_id).arms]:
        raise Conflict(wording.experiments.ENDED)


async def _then_shown(
    desk: Desk, client: AsyncWebClient, body: dict[str, Any], experiment_id: str, work: Work
) -> str | None:
    """Do `work`; where it was pressed in a view, the view shows what came of it."""
    sentence = await work
    view = body.get("view")
    if view is not None:
        fresh = await desk.read(lambda session: _fresh(session, experiment_id, desk))
        await client.views_update(view_id=view["id"], view=fresh)
    return sentence


def _fresh(session: Session, experiment_id: str, desk: Desk) -> dict[str, Any]:
    experiment = experiments.get(session, experiment_id)
    return experiment_view(shown(session, experiment, desk=desk, at=utc_now()))
