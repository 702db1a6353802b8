"""The state of the pretended workspace, and Slack's rules for changing it. No I/O.

Messages and views are kept as the JSON that Slack shows of them.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.standin.block_rules import MESSAGE_BLOCKS, problems, view_problems
from bot.standin.refusal import Refused

TEAM, APP, BOT, BOT_USER = "T0STANDIN", "A0STANDIN", "B0STANDIN", "U0STANDIN"
TRIGGER_SECONDS = 3.0
LONGEST_TEXT = 40_000

Json = dict[str, Any]


@dataclass(slots=True)
class Trigger:
    """A permission to open one view, for a person, for three seconds."""

    user: str
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class Workspace:
    """Channels, people, views. `clock` gives seconds since 1970; `changed` is told of changes."""

    clock: Callable[[], float]
    changed: Callable[[], None] = lambda: None
    channels: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)
    messages: dict[str, dict[str, Json]] = field(default_factory=dict)
    ephemerals: list[Json] = field(default_factory=list)
    views: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    revision: int = 0
    last_ts: int = 0

    def touch(self) -> None:
        """Note that something changed."""
        self.revision += 1
        self.changed()

    def new_ts(self) -> str:
        """A message's id: its time in microseconds, never the same twice."""
        self.last_ts = max(self.last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    def add_channel(self, name: str) -> str:
        """Make a channel, given by name or id; returns its id."""
        name = name.removeprefix("#")
        known = self.find_channel(name)
        if known:
            return known
        is_id = name[:1] in "CG" and name.isalnum() and name.isupper()
        letters = "".join(c for c in name.upper() if c.isalnum())
        channel = name if is_id else f"C0{letters}".ljust(9, "0")
        self.channels[channel] = {"id": channel, "name": name.lower(), "is_channel": True}
        self.messages.setdefault(channel, {})
        self.touch()
        return channel

    def find_channel(self, channel: str) -> str | None:
        """A channel's id by id or name."""
        name = channel.removeprefix("#")
        if name in self.channels:
            return name
        return next((c["id"] for c in self.channels.values() if c["name"] == name), None)

    def channel(self, channel: Any) -> str:
        """A channel's id; refused where there is no such channel."""
        found = self.find_channel(str(channel or ""))
        if found is None:
            raise Refused("channel_not_found")
        return found

    def user(self, user: str) -> Json:
        """A person, made at first sight: whoever asks may be anyone."""
        if user not in self.users:
            name = user.removeprefix("U").lstrip("0").lower() or user.lower()
            self.users[user] = {"id": user, "name": name, "team_id": TEAM, "is_bot": False}
            self.touch()
        return self.users[user]

    def message(self, channel: str, ts: Any) -> Json:
        """One message; refused where it does not stand there."""
        found = self.messages.get(channel, {}).get(str(ts))
        if found is None:
            raise Refused("message_not_found")
        return found

    def post(self, channel: str, message: Json, *, thread_ts: str | None = None) -> Json:
        """Add a message, in a thread where one is named."""
        ts = self.new_ts()
        posted = {"type": "message", "ts": ts, **message}
        if thread_ts:
            parent = self.messages[channel].get(thread_ts)
            if parent is None:
                raise Refused("cannot_reply_to_message")
            root = parent.get("thread_ts") or parent["ts"]
            head = self.messages[channel][root]
            head["thread_ts"], head["reply_count"] = root, head.get("reply_count", 0) + 1
            posted["thread_ts"] = root
        self.messages[channel][ts] = posted
        self.touch()
        return posted

    def in_channel(self, channel: str) -> list[Json]:
        """A channel's messages without its threads' replies, oldest first."""
        return [
            m for m in self.messages[channel].values() if m.get("thread_ts", m["ts"]) == m["ts"]
        ]

    def in_thread(self, channel: str, ts: str) -> list[Json]:
        """A thread: its head and the replies, oldest first."""
        root = self.message(channel, ts).get("thread_ts") or ts
        return [m for m in self.messages[channel].values() if root in (m["ts"], m.get("thread_ts"))]

    def new_trigger(self, user: str) -> str:
        """What an act gives the app to open a view with."""
        now = self.clock()
        self.triggers = {k: t for k, t in self.triggers.items() if t.expires_at > now - 60}
        trigger = f"{int(now * 1000)}.{secrets.token_hex(8)}"
        self.triggers[trigger] = Trigger(user, now + TRIGGER_SECONDS)
        return trigger

    def use_trigger(self, trigger_id: Any) -> str:
        """Spend a trigger; returns whose it is."""
        trigger = self.triggers.get(str(trigger_id))
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock() > trigger.expires_at:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def show_view(self, user: str, view: Any, *, view_id: str | None = None) -> Json:
        """Show a view to a person, in place of `view_id` where that is given."""
        wrong = view_problems(view)
        if wrong:
            raise Refused("invalid_arguments", messages=wrong)
        shown = {
            "private_metadata": "",
            "callback_id": "",
            **view,
            "id": view_id or f"V{secrets.token_hex(5).upper()}",
            "team_id": TEAM,
            "app_id": APP,
            "bot_id": BOT,
            "hash": f"{self.clock():.6f}.{secrets.token_hex(4)}",
            "blocks": with_ids(view["blocks"]),
            "user": user,
        }
        self.views[shown["id"]] = shown
        self.touch()
        return shown

    def close_view(self, view_id: str) -> None:
        """Take a view away."""
        self.views.pop(view_id, None)
        self.touch()

    def open_view(self, user: str) -> Json | None:
        """The modal that a person sees, the newest where there are several."""
        seen = [v for v in self.views.values() if v["user"] == user and v["type"] == "modal"]
        return seen[-1] if seen else None

    def whisper(self, message: Json) -> str:
        """Say something that one person sees."""
        ts = self.new_ts()
        self.ephemerals.append({"ts": ts, **message})
        self.touch()
        return ts

    def react(self, channel: str, ts: Any, *, name: str, user: str) -> None:
        """Add an emoji to a message, once per person."""
        reactions = self.message(channel, ts).setdefault("reactions", [])
        found = next((r for r in reactions if r["name"] == name), None)
        if found is None:
            found = {"name": name, "users": [], "count": 0}
            reactions.append(found)
        if user in found["users"]:
            raise Refused("already_reacted")
        found["users"].append(user)
        found["count"] += 1
        self.touch()

    def dumped(self) -> Json:
        """What outlives the process."""
        return {
            "channels": self.channels,
            "users": self.users,
            "messages": self.messages,
            "ephemerals": self.ephemerals[-200:],
            "files": self.files,
            "revision": self.revision,
            "last_ts": self.last_ts,
        }

    def load(self, state: Json) -> None:
        """Go on from what was kept."""
        for name, value in state.items():
            setattr(self, name, value)


def parsed(value: Any, *, code: str) -> Any:
    """An argument that may be JSON or the text of it."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError as error:
            raise Refused(code) from error
    return value


def checked_blocks(value: Any) -> list[Json]:
    """The blocks of a message, refused where Slack would."""
    blocks = parsed(value, code="invalid_blocks_format") if value else []
    wrong = problems(blocks, most=MESSAGE_BLOCKS)
    if wrong:
        raise Refused("invalid_blocks", messages=wrong)
    return with_ids(blocks)


def with_ids(blocks: Iterable[Json]) -> list[Json]:
    """Blocks, each with an id, as Slack gives them one."""
    return [{"block_id": secrets.token_hex(3), **block} for block in blocks]
