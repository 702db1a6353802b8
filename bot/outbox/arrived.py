"""Whether a message whose sending was cut off arrived in Slack."""

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.outbox.rendered import Post, Upload
from records.tables import OutboxMessage

_CLOCK_SKEW_SECONDS = 120
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
    """A channel's or a thread's messages since a row was written."""
    oldest = f"{since.created_at.timestamp() - _CLOCK_SKEW_SECONDS:.6f}"
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
