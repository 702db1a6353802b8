"""Links to messages, made from a workspace's address without a call for each."""

import logging

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)


class Addresses:
    """The addresses of workspaces, each asked for once per token."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def of(self, client: AsyncWebClient) -> str:
        """The address of a client's workspace; empty where Slack does not say it."""
        token = client.token or ""
        if token not in self._known:
            try:
                answer = await client.auth_test()
            except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
                log.warning("the workspace's address is not known: %s", error)
                return ""
            self._known[token] = str(answer.get("url") or "")
        return self._known[token]


def link_to(address: str, channel: str | None, ts: str | None, *, label: str) -> str:
    """A link to a message in our own mrkdwn; empty where it has no known place."""
    if not (address and channel and ts):
        return ""
    return f"<{address.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}|{label}>"
