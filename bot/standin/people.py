"""A person in the pretended Slack, for tests and the demo: does and sees what people do and see.

Speaks HTTP with the stand-in only, so that it may run in any process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

from bot.standin.workspace import TEAM

T = TypeVar("T")
Message = dict[str, Any]


class ActRefused(Exception):
    """What Slack would not let this person do, or what the app did not acknowledge."""

    def __init__(self, answer: dict[str, Any]) -> None:
        messages = (answer.get("response_metadata") or {}).get("messages") or []
        details = [answer.get("detail", ""), *messages]
        super().__init__(" ".join([answer["error"], *[d for d in details if d]]))
        self.code: str = answer["error"]


@dataclass(slots=True)
class Watch:
    """What was seen of a channel or thread, and up to when."""

    version: str = ""
    messages: dict[str, Message] = field(default_factory=dict)


class Person:
    """Somebody with a Slack user id such as `U0ANN`, in a workspace."""

    def __init__(self, user_id: str, base_url: str, *, team: str = TEAM) -> None:
        self.user_id = user_id
        self._team = team
        self._watches: dict[tuple[str, ...], Watch] = {}
        self._url = f"{base_url.rstrip('/')}/standin"

    async def click(
        self, channel: str, ts: str, action_id: str, *, value: str | None = None
    ) -> dict[str, Any]:
        """Press a button of a message.

        Raises:
            ActRefused: the button isn't there (any more), or the app didn't acknowledge in time.
        """
        return await self._do("click", channel=channel, ts=ts, action_id=action_id, value=value)

    async def press(
        self,
        action_id: str,
        *,
        value: str | None = None,
        view_id: str | None = None,
        home: bool = False,
    ) -> dict[str, Any]:
        """Press a button in the open modal, or in Home."""
        given = {"action_id": action_id, "value": value, "view_id": view_id, "home": home}
        return await self._do("press", **given)

    async def choose(
        self,
        action_id: str,
        option: Any,
        *,
        channel: str | None = None,
        ts: str | None = None,
        view_id: str | None = None,
        home: bool = False,
    ) -> dict[str, Any]:
        """Choose an option by its value, several, or type something; in a message, modal or Home.

        The answer holds `dispatched: False` where Slack does not tell the app of it.
        """
        given = {"channel": channel, "ts": ts, "view_id": view_id, "home": home}
        return await self._do("choose", action_id=action_id, option=option, **given)

    async def feedback(self, channel: str, ts: str, action_id: str, value: str) -> dict[str, Any]:
        """Press one of a pair of feedback buttons, by its value."""
        return await self._do("feedback", channel=channel, ts=ts, action_id=action_id, value=value)

    async def submit(self, values: dict[str, Any], *, view_id: str | None = None) -> dict[str, str]:
        """Send the open modal, filled in by action id; returns the errors that the app shows."""
        answer = await self._do("submit", values=values, view_id=view_id)
        errors: dict[str, str] = answer.get("errors") or {}
        return errors

    async def close(self) -> None:
        """Close the open modal; one that lies under it is seen again."""
        await self._do("close")

    async def shortcut(self, callback_id: str, channel: str, ts: str) -> dict[str, Any]:
        """Choose a message shortcut."""
        return await self._do("shortcut", callback_id=callback_id, channel=channel, ts=ts)

    async def slash(self, command: str, text: str = "", *, channel: str) -> dict[str, Any]:
        """Give a slash command."""
        return await self._do("slash", command=command, text=text, channel=channel)

    async def reply(
        self,
        channel: str,
        thread_ts: str | None,
        text: str,
        files: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """Write a message, in a thread if `thread_ts` is given; returns its ts and event id.

        The text is as Slack sends it: `&lt;` for `<`, links and mentions in brackets. Files are
        given by `name` and `content` (text) or `base64`.
        """
        given = {"channel": channel, "thread_ts": thread_ts, "text": text}
        return await self._do("reply", **given, files=list(files))

    async def direct(
        self, text: str, thread_ts: str | None = None, files: Sequence[dict[str, Any]] = ()
    ) -> dict[str, Any]:
        """Write to the app; returns the message's ts, its channel and the event's id."""
        return await self._do("direct", text=text, thread_ts=thread_ts, files=list(files))

    def dm(self) -> str:
        """The channel of the conversation with the app."""
        return f"D0{self.user_id}"

    async def edit(self, channel: str, ts: str, text: str) -> dict[str, Any]:
        """Change what one wrote oneself."""
        return await self._do("edit", channel=channel, ts=ts, text=text)

    async def delete(self, channel: str, ts: str) -> dict[str, Any]:
        """Take away what one wrote oneself."""
        return await self._do("delete", channel=channel, ts=ts)

    async def react(self, channel: str, ts: str, name: str) -> dict[str, Any]:
        """React to a message."""
        return await self._do("react", channel=channel, ts=ts, name=name)

    async def unreact(self, channel: str, ts: str, name: str) -> dict[str, Any]:
        """Take one's reaction away."""
        return await self._do("unreact", channel=channel, ts=ts, name=name)

    async def open_home(self) -> dict[str, Any]:
        """Open the app's Home; what it shows then is the app's matter (`home`)."""
        return await self._do("open_home")

    async def home(self) -> dict[str, Any] | None:
        """The Home that the app has published for this person."""
        view: dict[str, Any] | None = (await self._see("home", user=self.user_id))["view"]
        return view

    async def set_usergroup(self, group: str, users: Sequence[str]) -> None:
        """Set who is in a group, as an administrator does."""
        await self.administer("usergroup", id=group, users=list(users))

    async def administer(self, act: str, **given: Any) -> dict[str, Any]:
        """Do something about the app or its channels (bot/standin/acts/admin.py)."""
        return await self._ask("POST", act, json={"team": self._team, **given})

    async def start_thread(self) -> dict[str, Any]:
        """Begin a new conversation with an app that is an agent; returns its channel and ts."""
        return await self._do("start_thread")

    async def messages(self, channel: str, *, newest: int | None = None) -> list[Message]:
        """The channel, oldest first, without threads' replies; only the `newest` if so many."""
        if newest is None:
            return await self._watched("messages", channel=channel)
        seen = await self._see("messages", channel=channel, limit=newest)
        found: list[Message] = seen["messages"]
        return found

    async def thread(self, channel: str, ts: str) -> list[Message]:
        """A thread, its head first."""
        return await self._watched("thread", channel=channel, ts=ts)

    async def open_view(self) -> dict[str, Any] | None:
        """The modal that is open, if one is."""
        view: dict[str, Any] | None = (await self._see("view", user=self.user_id))["view"]
        return view

    async def ephemerals(self) -> list[Message]:
        """What only this person was told, oldest first, in all channels."""
        found: list[Message] = (await self._see("ephemerals", user=self.user_id))["messages"]
        return found

    async def download(self, file: dict[str, Any]) -> bytes:
        """The bytes of a file of a message, as this person's own client shows it."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(file["url_private"], headers=headers) as answer,
        ):
            return await answer.read()

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

    async def _watched(self, what: str, **query: str) -> list[Message]:
        """Messages, of which only those are sent again that have changed since the last look.

        A long day's channel would be too much to send after each change.
        """
        watch = self._watches.setdefault((what, *query.values()), Watch())
        seen = await self._see(what, **query, since=watch.version)
        if "gone" not in seen:
            watch.messages.clear()
        watch.messages.update({message["ts"]: message for message in seen["messages"]})
        for ts in seen.get("gone", []):
            watch.messages.pop(ts, None)
        watch.version = seen["version"]
        return [watch.messages[ts] for ts in sorted(watch.messages)]

    async def _do(self, act: str, **given: Any) -> dict[str, Any]:
        return await self._ask(
            "POST", act, json={"team": self._team, "user": self.user_id, **given}
        )

    async def _see(self, what: str, **query: Any) -> dict[str, Any]:
        return await self._ask("GET", what, params={"team": self._team, **query})

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
