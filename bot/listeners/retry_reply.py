"""*Retry* on a reply that could not be recorded: it is read from Slack and taken in like any other.

However it came in, by *Retry* or by Slack's own repetition, it is recorded once.
"""

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.hints import Hint, note_told
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.incoming.thread_reading import message_at
from bot.text import who
from bot.views.reply import shown
from records import conversations
from records.errors import Conflict


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to the button; what came of it takes the place of the message that carries it."""

    @app.action("retry_reply")
    async def retry(
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        await ack()
        place, bot = Place.of(client, body), context.bot_user_id

        async def work() -> None:
            sentence, hint = await retried(desk, client, action["value"], user=place.user, bot=bot)
            await respond(text=sentence, replace_original=True)
            if hint:
                await desk.write(partial(note_told, keys=(hint.key,)))

        await attendance.attend(place, work())


async def retried(
    desk: Desk, client: AsyncWebClient, value: str, *, user: str, bot: str | None
) -> tuple[str, Hint | None]:
    """Take the message in; returns what came of it, and the hint that this tells."""
    channel, thread_ts, ts = value.split(":")
    found = await message_at(client, channel, thread_ts=thread_ts, ts=ts)
    message = Message.read(found, channel=channel, bot=bot) if found else None
    if message is None:
        return wording.replies.RETRY_GONE, None
    if message.user != user:
        raise Conflict(wording.replies.RETRY_NOT_YOURS.format(author=who(message.user)))
    hint = await take(desk, client, message, bot=bot)
    source = message.source
    turn = await desk.read(lambda session: conversations.turn_from(session, source))
    sent = wording.replies.RETRIED.format(author=who(user), words=shown(message)) if turn else ""
    said = [sent, hint.words if hint else ""]
    return "\n".join(filter(None, said)) or wording.replies.RETRIED_INTERNAL, hint
