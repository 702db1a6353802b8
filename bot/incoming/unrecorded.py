"""Tells an agent at once that a reply could not be taken in, and offers *Retry*.

While the database is away nothing in it says whose thread it is: the card in Slack does.
"""

import logging
from collections import OrderedDict

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.incoming.message import Message
from bot.incoming.thread_reading import head_of
from bot.outbox.failures import Meaning, code_of, understood
from bot.views.content import Content
from bot.views.reply import unrecorded_notice
from records.outbox import Kind

log = logging.getLogger(__name__)

_MOST = 10_000


class Unrecorded:
    """Tells of each message once, however often it is tried."""

    def __init__(self, *, most: int = _MOST) -> None:
        """Remember at most that many messages."""
        self._most = most
        self._told: OrderedDict[tuple[str, bool], None] = OrderedDict()

    async def tell(
        self, client: AsyncWebClient, message: Message, *, for_good: bool = False
    ) -> bool:
        """Tell its author that the customer has not got it, where it may have been for them.

        `for_good`: it is not tried again by itself.

        Returns:
            False where that must be told, and cannot be now.
        """
        key = message.source, for_good
        if not message.is_for_customers or key in self._told:
            return True
        self._told[key] = None
        if len(self._told) > self._most:
            self._told.popitem(last=False)
        try:
            if await _is_about_an_escalation(client, message):
                await _tell(client, unrecorded_notice(message, for_good=for_good), message)
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            del self._told[key]
            log.warning("%s could not be told of a lost reply: %s", message.user, error)
            failure = understood(error)
            return failure is not None and failure.meaning is Meaning.GIVE_UP
        return True


async def _is_about_an_escalation(client: AsyncWebClient, message: Message) -> bool:
    head = await head_of(client, message.channel, thread_ts=message.thread_ts)
    noted = ((head or {}).get("metadata") or {}).get("event_payload") or {}
    return str(noted.get("key", "")).startswith(f"{Kind.ESCALATION_OPENED}:")


async def _tell(client: AsyncWebClient, notice: Content, message: Message) -> None:
    """Tell it to them alone; in the thread, where that cannot be."""
    channel, thread_ts = message.channel, message.thread_ts
    try:
        await client.chat_postEphemeral(
            channel=channel,
            thread_ts=thread_ts,
            user=message.user,
            text=notice.text,
            blocks=notice.blocks,
        )
    except SlackApiError as error:
        if code_of(error) not in ("user_not_in_channel", "channel_not_found"):
            raise
        await client.chat_postMessage(
            channel=channel, thread_ts=thread_ts, text=notice.text, blocks=notice.blocks
        )
