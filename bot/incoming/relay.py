"""Takes messages in for listeners: with the database on threads, and Slack asked where needed."""

from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.desk import Desk
from bot.incoming.hints import Hint
from bot.incoming.message import Message
from bot.incoming.taking_in import Stale, take_in
from bot.incoming.thread_reading import message_at


async def take(
    desk: Desk,
    client: AsyncWebClient,
    message: Message,
    *,
    bot: str | None,
    delivery: str | None = None,
) -> Hint | None:
    """Record the message if it is for the customer; returns what to hint to its author.

    `bot` is the bot's user id.

    Raises:
        StorageError: nothing was recorded.
        SlackApiError: the message was changed, and Slack does not say how.
    """
    try:
        return await desk.write(partial(take_in, message=message, delivery=delivery))
    except Stale:
        present = await _present_form(client, message, bot=bot)
    if present is None:
        return None
    return await desk.write(partial(take_in, message=present, delivery=delivery, is_present=True))


async def _present_form(
    client: AsyncWebClient, message: Message, *, bot: str | None
) -> Message | None:
    """The message as it stands in Slack now; None where it does not.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    channel, thread = message.channel, message.thread_ts
    found = await message_at(client, channel, thread_ts=thread, ts=message.ts)
    return Message.read(found, channel=channel, bot=bot) if found else None
