"""Whether a message that may have been sent stands in Slack."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.rendered import Post, Upload
from records.tables import OutboxMessage

_CLOCK_SKEW_SECONDS = 120
_PAGE = 200


async def find_message(
    client: AsyncWebClient, channel: str, *, key: str, post: Post, since: OutboxMessage
) -> str | None:
    """The `ts` of the message that carries the key, where there is one."""
    cursor = ""
    while True:
        page = await _page(client, channel, post=post, since=since, cursor=cursor)
        for message in page["messages"]:
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("key") == key:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None


async def _page(
    client: AsyncWebClient, channel: str, *, post: Post, since: OutboxMessage, cursor: str
) -> Any:
    oldest = f"{since.created_at.timestamp() - _CLOCK_SKEW_SECONDS:.6f}"
    window = {"oldest": oldest, "limit": _PAGE, "include_all_metadata": True, "cursor": cursor}
    if post.thread_ts is not None:
        return await client.conversations_replies(channel=channel, ts=post.thread_ts, **window)  # type: ignore[arg-type]
    return await client.conversations_history(channel=channel, **window)  # type: ignore[arg-type]


async def find_upload(client: AsyncWebClient, upload: Upload) -> bool:
    """Whether the file stands in its thread."""
    thread = await client.conversations_replies(
        channel=upload.channel, ts=upload.thread_ts, limit=_PAGE
    )
    files = [file for message in thread["messages"] for file in message.get("files") or []]
    return any(file.get("title") == upload.name for file in files)
