"""A message in an escalation's thread is edited or deleted: what its customer reads follows."""

from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Place
from bot.desk import Desk
from bot.incoming.changes import CHANGED, DELETED, Change, assistant_of, follow, hint_on
from bot.incoming.hints import Hint, Hints
from records.errors import StorageError, UnderstudyError


def register(app: AsyncApp, desk: Desk, hints: Hints) -> None:
    """Listen to changes of messages. To be registered before whoever listens to all messages."""

    @app.event({"type": "message", "subtype": (CHANGED, DELETED)})
    async def changed(
        event: dict[str, Any],
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        change, delivery = Change.read(event, bot=context.bot_user_id), str(body["event_id"])
        if change is None:
            return
        hint = await _followed(desk, change, delivery=delivery)
        if hint:
            message = change.before
            place = Place(client, message.user, message.channel, message.thread_ts)
            await hints.tell(place, hint, team=context.team_id, delivery=delivery)


async def _followed(desk: Desk, change: Change, *, delivery: str) -> Hint | None:
    """Let the customer's side follow; returns what to tell its author.

    Raises:
        StorageError: nothing was recorded.
    """
    try:
        return await desk.write(lambda session: _follow(session, desk, change, delivery=delivery))
    except StorageError:
        raise
    except UnderstudyError as error:
        sentence = wording.replies.EDIT_NOT_RECORDED.format(reason=error)
        return hint_on(change, sentence)


def _follow(session: Session, desk: Desk, change: Change, *, delivery: str) -> Hint | None:
    name = assistant_of(session, change)
    if name is None:
        return None
    minutes = desk.assistant(name).slack.edit_minutes
    return follow(session, change, delivery=delivery, minutes=minutes)
