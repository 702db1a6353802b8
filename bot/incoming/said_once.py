"""Says something in a message of its own, in answer to an event, once.

That it begins is noted before, and that it is done after. Whoever finds it begun and not done waits
until that call has surely ended, and looks in Slack for the message.
"""

from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.incoming.deliveries import first_time, was_noted
from bot.incoming.hints import Postponed
from bot.incoming.thread_reading import Json
from bot.outbox.failures import Meaning, understood
from bot.outbox.slack_calls import EVENT_TYPE, LONGEST_SECONDS
from bot.views.content import Content
from records.ids import utc_now
from records.tables import SlackEvent

_RECENT = 100


@dataclass(frozen=True, slots=True)
class Where:
    """A channel, and a thread of it if it is to be one."""

    client: AsyncWebClient
    channel: str
    thread_ts: str | None = None


async def say_once(desk: Desk, where: Where, said: Content, *, key: str) -> None:
    """Post a message that is noted under `key`; nothing, where it is there.

    Raises:
        Postponed: another one may be posting it now.
        StorageError, SlackApiError: it is not sure to stand there.
    """
    if await desk.read(lambda session: was_noted(session, key)):
        return
    is_first = await desk.write(lambda session: _begins(session, f"{key}:begun"))
    if is_first or not await _stands(where, key):
        try:
            await _post(where, said, key)
        except (SlackApiError, OSError) as error:
            failure = understood(error)
            if failure is not None and failure.meaning is not Meaning.UNSURE:
                await desk.write(lambda session: _forget(session, f"{key}:begun"))
            raise
    await desk.write(lambda session: first_time(session, key))


async def _post(where: Where, said: Content, key: str) -> None:
    await where.client.chat_postMessage(
        channel=where.channel,
        thread_ts=where.thread_ts,
        text=said.text,
        blocks=said.blocks,
        metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        unfurl_links=False,
    )


def _forget(session: Session, key: str) -> None:
    """Slack has not taken it: the next one need not wait, nor look for it."""
    session.execute(delete(SlackEvent).where(SlackEvent.id == key))


def _begins(session: Session, key: str) -> bool:
    """Whether nobody has begun before; a clock that was set back makes nobody wait for it."""
    if first_time(session, key):
        return True
    age = utc_now() - session.get_one(SlackEvent, key).received_at
    if timedelta() <= age < timedelta(seconds=LONGEST_SECONDS):
        raise Postponed
    return False


async def _stands(where: Where, key: str) -> bool:
    """Whether the message is among the last ones there."""
    payloads = [(m.get("metadata") or {}).get("event_payload") for m in await _recent(where)]
    return any((payload or {}).get("key") == key for payload in payloads)


async def _recent(where: Where) -> list[Json]:
    client, channel = where.client, where.channel
    if where.thread_ts is None:
        page = await client.conversations_history(
            channel=channel, limit=_RECENT, include_all_metadata=True
        )
    else:
        page = await client.conversations_replies(
            channel=channel, ts=where.thread_ts, limit=1000, include_all_metadata=True
        )
    found: list[Json] = page["messages"]
    return found
