"""Reading threads back from Slack, where no event tells what stands there.

To be used rarely: Slack limits these calls hard.
"""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.incoming.storable import storable

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
    found: list[Json] = [storable(m) for m in page["messages"] if m["ts"] == ts]
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


async def page_since(
    client: AsyncWebClient, channel: str, *, thread_ts: str, oldest: str, cursor: str
) -> tuple[list[Json], str]:
    """A page of what was written in a thread since a time, and the cursor of the next, if any.

    Raises:
        SlackApiError: the thread cannot be read.
    """
    page = await client.conversations_replies(
        channel=channel, ts=thread_ts, oldest=oldest, limit=_PAGE, cursor=cursor
    )
    cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
    return [storable(m) for m in page["messages"] if m["ts"] != thread_ts], cursor
