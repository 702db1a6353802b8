"""*Cancel* on a retraining: for operators, and for whoever asked for it."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.views.notice import notice_modal
from records import jobs


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button, on the job's message and in the form of `/retrain`."""

    @app.action("cancel_job")
    async def cancel(
        ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        work = _cancel(desk, client, action["value"], body)
        await attendance.attend(Place.of(client, body), work)


async def _cancel(desk: Desk, client: AsyncWebClient, job_id: str, body: dict[str, Any]) -> None:
    user = body["user"]["id"]
    job = await desk.read(lambda session: jobs.get(session, job_id))
    if job.requested_by != user:
        await desk.roles.require_operator(client, desk.assistant(job.assistant), user)
    await desk.write(lambda session: jobs.cancel(session, job_id, actor=user))
    view = body.get("view")
    if view is not None:
        title = wording.retraining.FORM_TITLE
        told = notice_modal(wording.retraining.CANCELLED, title=title)
        await client.views_update(view_id=view["id"], view=told)
