"""Reading threads back from Slack, where no event tells what stands there.

To be used rarely: Slack limits these calls hard.
"""

from collections.abc import AsyncIterator
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

_PAGE = 200

Json = dict[str, Any]


async def message_at(
    client: AsyncWebClient, channel: str, *, thread_ts: str, ts: str
) -> Json | None:
    """A message of a thread as it stands there now; None where it does not.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    page = await client.conversations_replies(
        channel=channel, ts=thread_ts, oldest=ts, latest=ts, inclusive=True, limit=2
    )
    found: list[Json] = [m for m in page["messages"] if m["ts"] == ts]
    return found[0] if found else None


async def head_of(client: AsyncWebClient, channel: str, *, thread_ts: str) -> Json | None:
    """The message that heads a thread, with what we noted in it.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    page = await client.conversations_replies(
        channel=channel, ts=thread_ts, limit=1, include_all_metadata=True
    )
    found: list[Json] = [m for m in page["messages"] if m["ts"] == thread_ts]
    return found[0] if found else None


async def pages_since(
    client: AsyncWebClient, channel: str, *, thread_ts: str, oldest: str, most: int
) -> AsyncIterator[list[Json]]:
    """What was written in a thread since a time, at most so many pages of it.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    cursor = ""
    for _ in range(most):
        page = await client.conversations_replies(
            channel=channel, ts=thread_ts, oldest=oldest, limit=_PAGE, cursor=cursor
        )
        yield [m for m in page["messages"] if m["ts"] != thread_ts]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
