"""A message in an escalation's thread: to the customer from its owner, internal from all others.

An event is acknowledged when it is safe; where the message cannot be taken in, its author is told
that the customer has not got it.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.attendance import Place
from bot.desk import Desk
from bot.incoming.hints import Hint, Hints, Postponed
from bot.incoming.message import Message
from bot.incoming.relay import take
from bot.incoming.taking_in import take_in
from bot.incoming.unrecorded import Unrecorded
from bot.outbox.failures import Meaning, understood
from records.errors import StorageError, UnderstudyError


def register(app: AsyncApp, desk: Desk, hints: Hints) -> None:
    """Listen to messages in channels that the bot is in."""
    taking = _Taking(desk)

    @app.event("message")
    async def reply(
        event: dict[str, Any],
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        bot, delivery = context.bot_user_id, str(body["event_id"])
        message = Message.read(event, bot=bot)
        if message is not None and message.is_note:
            with suppress(StorageError):  # a mark that is missing holds up no reply behind it
                await desk.write(partial(take_in, message=message, delivery=delivery))
        if message is None or message.is_internal:
            return
        hint = await taking.take(client, message, bot=bot, delivery=delivery)
        if hint:
            place = Place(client, message.user, message.channel, message.thread_ts)
            await hints.tell(place, hint, team=context.team_id, delivery=delivery)


class _Taking:
    """Takes messages in; whoever wrote one that fails is told so before it is given up."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unrecorded = Unrecorded()

    async def take(
        self, client: AsyncWebClient, message: Message, *, bot: str | None, delivery: str
    ) -> Hint | None:
        """See `relay.take`.

        Raises:
            StorageError, Postponed: it is to be tried until it works.
            Exception: another failure, which its author knows of.
        """
        try:
            return await take(self._desk, client, message, bot=bot, delivery=delivery)
        except StorageError:
            await self._unrecorded.tell(client, message)
            raise
        except Exception as error:
            for_good = _is_final(error)
            is_told = await self._unrecorded.tell(client, message, for_good=for_good)
            needs_only_slack = not for_good and understood(error) is not None
            if needs_only_slack or not is_told:
                raise Postponed from error
            raise


def _is_final(error: Exception) -> bool:
    """Whether nobody will try again."""
    if isinstance(error, UnderstudyError):
        return True
    failure = understood(error)
    return failure is not None and failure.meaning is Meaning.GIVE_UP
