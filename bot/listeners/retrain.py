"""`/retrain [assistant]`: a form shows what there is to train on; then the worker is asked."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.forms import open_form
from bot.incoming.deliveries import first_time
from bot.outbox.failures import code_of
from bot.releases.addressed import assistant_of, first_word, shown_channel
from bot.releases.naming import names_of
from bot.views.notice import notice_modal
from bot.views.retrain_form import (
    CALLBACK,
    DAY,
    SINCE,
    Offer,
    Origin,
    Since,
    Wishes,
    loading_form,
    problems_of,
    read_wishes,
    retrain_form,
    running_view,
)
from records import jobs, training_data, versions
from records.assistant import Assistant
from records.errors import InvalidInput
from records.ids import utc_now

_CLOSED = ("not_found", "hash_conflict")


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to command and form; the job's message comes through the outbox."""

    @app.command("/retrain")
    async def by_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        place = Place(client, command["user_id"], command["channel_id"])
        await attendance.attend(place, _open(desk, client, command))

    @app.action(SINCE)
    async def by_since(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _count_anew(desk, client, body["view"]))

    @app.action(DAY)
    async def by_day(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await attendance.attend(Place.of(client, body), _count_anew(desk, client, body["view"]))

    @app.view(CALLBACK)
    async def submitted(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient
    ) -> None:
        origin = Origin.loaded(view["private_metadata"])
        wishes = read_wishes(view["state"]["values"])
        zone = ZoneInfo(desk.assistant(origin.assistant).retrain.timezone)
        problems = problems_of(wishes, today=utc_now().astimezone(zone).date())
        if problems:
            await ack(response_action="errors", errors=problems)
            return
        place = Place(client, body["user"]["id"], origin.channel)
        asking = _ask(desk, attendance, place, view["id"], origin, wishes)
        sentence = await attendance.answer(place, asking, lasts=False)
        if sentence:
            title = wording.retraining.FORM_TITLE
            await ack(response_action="update", view=notice_modal(sentence, title=title))
        else:
            await ack()


async def _open(desk: Desk, client: AsyncWebClient, command: dict[str, Any]) -> str | None:
    assistant = assistant_of(desk, command, named=first_word(command))
    origin = Origin(assistant.name, command["channel_id"])

    async def make() -> dict[str, Any]:
        await desk.roles.require_operator(client, assistant, command["user_id"])
        return await desk.read(lambda session: _view(session, origin, assistant))

    return await open_form(client, command["trigger_id"], work=make(), loading=loading_form(origin))


def _view(session: Session, origin: Origin, assistant: Assistant) -> dict[str, Any]:
    """The form, or the job that runs already."""
    job = jobs.active_of(session, assistant.name)
    if job is not None:
        return running_view(origin, job, names=names_of(session, assistant.name))
    return retrain_form(origin, _offer(session, assistant, Wishes()))


def _offer(session: Session, assistant: Assistant, wishes: Wishes) -> Offer:
    own = assistant.recipe.get("max_minutes")
    since = _from(session, assistant, wishes)
    return Offer(
        data=training_data.count(session, assistant.name, since=since),
        champion=versions.champion(session, assistant.name).id,
        last_trained_at=training_data.last_trained_at(session, assistant.name),
        own_minutes=float(own) if isinstance(own, int | float) else None,
        timezone=assistant.retrain.timezone,
        names=names_of(session, assistant.name),
    )


def _from(session: Session, assistant: Assistant, wishes: Wishes) -> datetime | None:
    """From when on corrections are wished for; None for all of them."""
    if wishes.since is Since.LAST:
        return training_data.last_trained_at(session, assistant.name)
    if wishes.since is Since.DAY and wishes.day is not None:
        return datetime.combine(wishes.day, time(), tzinfo=ZoneInfo(assistant.retrain.timezone))
    return None


async def _count_anew(desk: Desk, client: AsyncWebClient, view: dict[str, Any]) -> None:
    """Show the counts for what is chosen now."""
    origin = Origin.loaded(view["private_metadata"])
    wishes = read_wishes(view["state"]["values"])
    assistant = desk.assistant(origin.assistant)
    offer = await desk.read(lambda session: _offer(session, assistant, wishes))
    try:
        await client.views_update(
            view_id=view["id"], hash=view["hash"], view=retrain_form(origin, offer, wishes)
        )
    except SlackApiError as error:
        if code_of(error) not in _CLOSED:  # gone, or something else was chosen since
            raise


async def _ask(
    desk: Desk, attendance: Attendance, place: Place, view_id: str, origin: Origin, wishes: Wishes
) -> None:
    """Ask the worker, once however often the form is delivered, and say where it shows."""
    assistant = desk.assistant(origin.assistant)
    await desk.roles.require_operator(place.client, assistant, place.user)

    def ask(session: Session) -> None:
        if first_time(session, f"view:{view_id}"):
            _request(session, assistant, wishes, user=place.user)

    await desk.write(ask)
    shown = shown_channel(assistant.slack.channel)
    words = wording.retraining.ASKED.format(assistant=assistant.name, channel=shown)
    await attendance.tell(place, words)


def _request(session: Session, assistant: Assistant, wishes: Wishes, *, user: str) -> None:
    since = _from(session, assistant, wishes)
    if not training_data.count(session, assistant.name, since=since).corrections:
        raise InvalidInput(wording.retraining.NOTHING_TO_LEARN)
    recipe: dict[str, Any] = {"method": str(wishes.method)}
    if wishes.minutes is not None:
        recipe["max_minutes"] = wishes.minutes
    options: dict[str, Any] = {"recipe": recipe}
    if since is not None:
        options["since"] = since.isoformat()
    if wishes.search_minutes is not None:
        options["budget_seconds"] = wishes.search_minutes * 60
    jobs.request(session, assistant.name, requested_by=user, options=options)
