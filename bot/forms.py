"""Opening a form within the 3 s that Slack allows, whatever the database does."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import explained
from bot.outbox.failures import code_of
from bot.views.notice import notice_modal

PATIENCE_SECONDS = 1.0
"""How long a form waits for its content before a loading view takes its place."""
_TOO_LATE = ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id")

View = dict[str, Any]


async def open_form(
    client: AsyncWebClient,
    trigger_id: str,
    *,
    work: Coroutine[Any, Any, View],
    loading: View | None = None,
    late: str = wording.machine.FORM_LATE,
    push: bool = False,
) -> str | None:
    """Open the view that `work` makes; `push` puts it on top of the form that is open.

    Call it within `attendance.attend`, after `ack()`. Where `work` takes its time, `loading` opens
    first and is replaced; `work` is always done to its end, whether or not a form can be shown.

    Returns:
        `late`, to be told to the person, where Slack did not open the form in time.

    Raises:
        UnderstudyError: `work` failed before a view was open; afterwards the view says so.
        SlackApiError: Slack refuses the view.
    """
    show = client.views_push if push else client.views_open
    making = asyncio.create_task(work)
    await asyncio.wait({making}, timeout=PATIENCE_SECONDS)
    in_time = making.done()
    first = making.result() if in_time else loading or notice_modal(wording.machine.LOADING)
    try:
        opened = await show(trigger_id=trigger_id, view=first)
    except SlackApiError as error:
        await asyncio.wait({making})
        if code_of(error) not in _TOO_LATE:
            raise
        making.result()
        return late
    if not in_time:
        await _replace(client, opened["view"]["id"], making)
    return None


async def _replace(client: AsyncWebClient, view_id: str, making: "asyncio.Task[View]") -> None:
    try:
        view = await making
    except Exception as error:  # noqa: BLE001 - the edge: what failed is said where the form was to be
        view = notice_modal(explained(error))
    try:
        await client.views_update(view_id=view_id, view=view)
    except SlackApiError as error:
        if code_of(error) != "not_found":  # closed in the meantime
            raise
