"""A person in the pretended Slack, for tests and the demo: does and sees what people do and see.

Speaks HTTP with the stand-in only, so that it may run in any process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
Message = dict[str, Any]


class ActRefused(Exception):
    """What Slack would not let this person do, or what the app did not acknowledge."""

    def __init__(self, answer: dict[str, Any]) -> None:
        messages = (answer.get("response_metadata") or {}).get("messages") or []
        details = [answer.get("detail", ""), *messages]
        super().__init__(" ".join([answer["error"], *[d for d in details if d]]))
        self.code: str = answer["error"]


class Person:
    """Somebody with a Slack user id such as `U0ANN`."""

    def __init__(self, user_id: str, base_url: str) -> None:
        self.user_id = user_id
        self._url = f"{base_url.rstrip('/')}/standin"

    async def click(
        self, channel: str, ts: str, action_id: str, *, value: str | None = None
    ) -> dict[str, Any]:
        """Press a button of a message.

        Raises:
            ActRefused: the button isn't there (any more), or the app didn't acknowledge in time.
        """
        return await self._do("click", channel=channel, ts=ts, action_id=action_id, value=value)

    async def submit(self, values: dict[str, Any], *, view_id: str | None = None) -> dict[str, str]:
        """Send the open modal, filled in by action id; returns the errors that the app shows."""
        answer = await self._do("submit", values=values, view_id=view_id)
        errors: dict[str, str] = answer.get("errors") or {}
        return errors

    async def close(self) -> None:
        """Close the open modal."""
        await self._do("close")

    async def shortcut(self, callback_id: str, channel: str, ts: str) -> dict[str, Any]:
        """Choose a message shortcut."""
        return await self._do("shortcut", callback_id=callback_id, channel=channel, ts=ts)

    async def slash(self, command: str, text: str = "", *, channel: str) -> dict[str, Any]:
        """Give a slash command."""
        return await self._do("slash", command=command, text=text, channel=channel)

    async def reply(self, channel: str, thread_ts: str | None, text: str) -> dict[str, Any]:
        """Write a message, in a thread if `thread_ts` is given; returns its ts and event id."""
        return await self._do("reply", channel=channel, thread_ts=thread_ts, text=text)

    async def react(self, channel: str, ts: str, name: str) -> dict[str, Any]:
        """React to a message."""
        return await self._do("react", channel=channel, ts=ts, name=name)

    async def messages(self, channel: str) -> list[Message]:
        """The channel, oldest first, without threads' replies."""
        found: list[Message] = (await self._see("messages", channel=channel))["messages"]
        return found

    async def thread(self, channel: str, ts: str) -> list[Message]:
        """A thread, its head first."""
        found: list[Message] = (await self._see("thread", channel=channel, ts=ts))["messages"]
        return found

    async def open_view(self) -> dict[str, Any] | None:
        """The modal that is open, if one is."""
        view: dict[str, Any] | None = (await self._see("view", user=self.user_id))["view"]
        return view

    async def ephemerals(self) -> list[Message]:
        """What only this person was told, oldest first."""
        found: list[Message] = (await self._see("ephemerals", user=self.user_id))["messages"]
        return found

    async def wait_for(
        self,
        look: Callable[[], Awaitable[T | None]],
        *,
        timeout: float = 10,  # noqa: ASYNC109 - the word that callers expect
    ) -> T:
        """What `look` finds, as soon as that is something; it looks after every change.

        Raises:
            TimeoutError: it found nothing in `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            revision = -1
            while True:
                revision = (await self._see("changes", after=revision, timeout=5))["revision"]
                found = await look()
                if found:
                    return found

    async def repeat_delivery(self, event_id: str) -> None:
        """Let Slack deliver an event once more, as it does when an acknowledgement got lost."""
        await self._ask("POST", "repeat", json={"event_id": event_id})

    async def _do(self, act: str, **given: Any) -> dict[str, Any]:
        return await self._ask("POST", act, json={"user": self.user_id, **given})

    async def _see(self, what: str, **query: Any) -> dict[str, Any]:
        return await self._ask("GET", what, params=query)

    async def _ask(self, verb: str, path: str, **options: Any) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(verb, f"{self._url}/{path}", **options) as response,
        ):
            answer: dict[str, Any] = await response.json()
        if not answer["ok"]:
            raise ActRefused(answer)
        return answer


def text_of(message: Message) -> str:
    """All words that a message shows, line by line."""
    return "\n".join([message.get("text", ""), *_texts(message.get("blocks") or [])])


def _texts(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for item in node for text in _texts(item)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if isinstance(node.get("text"), str) else []
    inner = [value for value in node.values() if not isinstance(value, str)]
    return own + [text for value in inner for text in _texts(value)]


def buttons_of(message: Message) -> dict[str, str]:
    """The buttons of a message: action id to value."""
    elements = [e for b in message.get("blocks") or [] for e in b.get("elements") or []]
    return {e["action_id"]: e.get("value", "") for e in elements if e.get("type") == "button"}
