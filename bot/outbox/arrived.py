"""Whether a message whose sending was cut off arrived in Slack."""

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox.rendered import Post, Upload
from records.tables import OutboxMessage

_EARLIER_SECONDS = 60.0
_A_DAY_SECONDS = 24 * 3600.0
_PAGE = 200


async def find_message(
    client: AsyncWebClient, channel: str, *, key: str, post: Post, since: OutboxMessage
) -> str | None:
    """The `ts` of the message that carries the key, where there is one."""
    async for message in _messages(client, channel, post.thread_ts, since=since):
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        if payload.get("key") == key:
            return str(message["ts"])
    return None


async def find_upload(client: AsyncWebClient, upload: Upload, *, since: OutboxMessage) -> bool:
    """Whether the file stands in its thread."""
    async for message in _messages(client, upload.channel, upload.thread_ts, since=since):
        if any(file.get("title") == upload.name for file in message.get("files") or []):
            return True
    return False


async def _messages(
    client: AsyncWebClient, channel: str, thread_ts: str | None, *, since: OutboxMessage
) -> AsyncIterator[dict[str, Any]]:
    """A channel's or a thread's messages since the sending of a row began, and some before it."""
    oldest = f"{_begun_after(since, thread_ts):.6f}"
    cursor = ""
    while True:
        window: Any = {"oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
        if thread_ts is not None:
            page = await client.conversations_replies(
                channel=channel, ts=thread_ts, cursor=cursor, **window
            )
        else:
            page = await client.conversations_history(channel=channel, cursor=cursor, **window)
        for message in page["messages"]:
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def _begun_after(row: OutboxMessage, thread_ts: str | None) -> float:
    """A time before the sending of a row began, by Slack's clock: ours may be fast.

    Only of a channel in which no message of ours stands nothing is known but our own time.
    """
    known = row.begun_after or thread_ts
    if known:
        return float(known) - _EARLIER_SECONDS
    return row.created_at.timestamp() - _A_DAY_SECONDS
