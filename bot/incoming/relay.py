"""Takes messages in for listeners: with the database on threads, and Slack asked where needed."""

from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.desk import Desk
from bot.incoming.message import Message
from bot.incoming.taking_in import Stale, take_in
from bot.incoming.thread_reading import message_at


async def take(
    desk: Desk, client: AsyncWebClient, message: Message, *, delivery: str | None = None
) -> str | None:
    """Record the message if it is for the customer; returns what to hint to its author.

    One that mentions the bot asks the assistant for a draft, so it is for no customer.

    Raises:
        StorageError: nothing was recorded.
        SlackApiError: the message was changed, and Slack does not say how.
    """
    if message.mentions and await _user_of(client) in message.mentions:
        return None
    try:
        return await desk.write(partial(take_in, message=message, delivery=delivery))
    except Stale:
        present = await present_form(client, message)
    if present is None:
        return None
    return await desk.write(partial(take_in, message=present, delivery=delivery, is_present=True))


async def _user_of(client: AsyncWebClient) -> str:
    """The bot's own user id, asked anew: few messages in these threads mention anybody."""
    return str((await client.auth_test())["user_id"])


async def present_form(client: AsyncWebClient, message: Message) -> Message | None:
    """The message as it stands in Slack now; None where it does not.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    channel, thread = message.channel, message.thread_ts
    found = await message_at(client, channel, thread_ts=thread, ts=message.ts)
    return Message.read(found, channel=channel) if found else None
