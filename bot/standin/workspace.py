"""The state of one pretended workspace, and Slack's rules for changing it. No I/O.

Messages and views are kept as the JSON that Slack shows of them. Whatever changes is noted as a
kind and a key, so that keeping it costs no more than the change.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.standin import directory
from bot.standin.message_log import MessageLog, root_of
from bot.standin.modals import Modals
from bot.standin.refusal import Refused

TEAM, APP, BOT, BOT_USER = "T0STANDIN", "A0STANDIN", "B0STANDIN", "U0STANDIN"
LONGEST_TEXT = 40_000
_MOST_WHISPERS = 500
_MOST_EMOJI = 50

Json = dict[str, Any]
Change = tuple[str, str]


@dataclass(slots=True)
class Workspace:
    """Channels, people, views. `clock` gives seconds since 1970; `changed` is told of changes."""

    clock: Callable[[], float]
    changed: Callable[[], None] = lambda: None
    team: str = TEAM
    name: str = "Stand-in"
    bot: str = BOT
    bot_user: str = BOT_USER
    channels: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)
    logs: dict[str, MessageLog] = field(default_factory=dict)
    whispers: dict[str, list[Json]] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    usergroups: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, Json] = field(default_factory=dict)
    seen: dict[str, Json] = field(default_factory=dict)
    modals: Modals = field(init=False)
    last_ts: int = 0
    unkept: set[Change] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.modals = Modals(self.clock)
        for person in directory.people(self.team):
            self.users[person["id"]] = person
        self.users[self.bot_user] = directory.bot(
            self.bot_user, team=self.team, bot_id=self.bot, app=APP
        )

    def touch(self, kind: str = "", key: str = "") -> None:
        """Note that something changed, and what of it is to be kept."""
        if kind:
            self.unkept.add((kind, key))
        self.changed()

    def new_ts(self) -> str:
        """A message's id: its time in microseconds, never the same twice."""
        self.last_ts = max(self.last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    # Channels and people

    def add_channel(self, name: str, *, is_private: bool = False) -> str:
        """Make a channel, given by name or id; returns its id."""
        name = name.removeprefix("#")
        known = self.find_channel(name)
        if known:
            return known
        is_id = name[:1] in "CG" and name.isalnum() and name.isupper()
        letters = "".join(c for c in name.upper() if c.isalnum())
        channel = name if is_id else f"C0{letters}".ljust(9, "0")
        return self._open(
            {
                "id": channel,
                "name": name.lower(),
                "is_channel": not is_private,
                "is_group": is_private,
                "is_im": False,
                "is_private": is_private,
                "is_archived": False,
                "is_member": True,
            }
        )

    def direct_channel(self, user: str) -> str:
        """The conversation of a person and the app, opened at first need; returns its id."""
        channel = f"D0{user}"
        if channel in self.channels:
            return channel
        return self._open(
            {
                "id": channel,
                "name": channel.lower(),
                "user": user,
                "is_channel": False,
                "is_im": True,
                "is_private": True,
                "is_archived": False,
                "is_member": True,
            }
        )

    def _open(self, channel: Json) -> str:
        self.channels[channel["id"]] = {
            **channel,
            "created": int(self.clock()),
            "context_team_id": self.team,
        }
        self.logs.setdefault(channel["id"], MessageLog())
        self.touch("channel", channel["id"])
        return str(channel["id"])

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

    def change_channel(self, channel: str, **changes: Any) -> None:
        """Change what is known of a channel."""
        self.channels[channel].update(changes)
        self.touch("channel", channel)

    def user(self, user: str) -> Json:
        """A person, made at first sight: whoever asks may be anyone."""
        if user not in self.users:
            self.users[user] = directory.person(user, self.team)
            self.touch("user", user)
        return self.users[user]

    # Messages

    def message(self, channel: str, ts: Any) -> Json:
        """One message; refused where it does not stand there."""
        found = self.logs[channel].get(str(ts)) if channel in self.logs else None
        if found is None:
            raise Refused("message_not_found")
        return found

    def post(
        self, channel: str, message: Json, *, thread_ts: str | None = None, broadcast: bool = False
    ) -> Json:
        """Add a message, in a thread where one is named."""
        posted = {"type": "message", "ts": self.new_ts(), **message}
        if thread_ts:
            posted["thread_ts"] = self._head_of(channel, thread_ts)["ts"]
            if broadcast:
                posted["subtype"] = "thread_broadcast"
        for gone in self.logs[channel].add(posted):
            self.touch("message", f"{channel}/{gone}")
        self._count_replies(channel, posted)
        self.touch_message(channel, posted["ts"])
        return posted

    def _head_of(self, channel: str, ts: str) -> Json:
        log = self.logs[channel]
        answered = log.get(str(ts))
        head = log.get(root_of(answered)) if answered else None
        if head is None:
            raise Refused("cannot_reply_to_message")
        return head

    def _count_replies(self, channel: str, changed: Json) -> None:
        """Let the head of a thread say how much there is in it."""
        root = root_of(changed)
        if root == changed["ts"]:
            return
        log = self.logs[channel]
        head = log.get(root)
        if head is None:
            return
        replies = log.replies(root)
        if not replies:
            for name in ("thread_ts", "reply_count", "reply_users", "latest_reply"):
                head.pop(name, None)
        else:
            users = dict.fromkeys([*head.get("reply_users", []), changed.get("user", "")])
            head["thread_ts"], head["reply_count"] = root, len(replies)
            head["reply_users"], head["latest_reply"] = list(users), replies[-1]
        self.touch_message(channel, root)

    def touch_message(self, channel: str, ts: str) -> None:
        """Note that a message changed."""
        self.logs[channel].note(ts)
        self.touch("message", f"{channel}/{ts}")

    def delete(self, channel: str, message: Json) -> None:
        """Take a message away; the head of a thread leaves a stone, as it does at Slack."""
        if self.logs[channel].replies(message["ts"]):
            kept = {k: message[k] for k in ("type", "ts", "thread_ts", "reply_count")}
            message.clear()
            message.update(
                {
                    **kept,
                    "subtype": "tombstone",
                    "user": "USLACKBOT",
                    "hidden": True,
                    "text": "This message was deleted.",
                }
            )
        else:
            self.logs[channel].remove(message["ts"])
            self._count_replies(channel, message)
        self.touch_message(channel, message["ts"])

    def in_channel(self, channel: str) -> list[Json]:
        """A channel's messages without its threads' replies, oldest first."""
        log = self.logs[channel]
        return log.messages(log.heads())

    def in_thread(self, channel: str, ts: str) -> list[Json]:
        """A thread: its head and the replies, oldest first."""
        log = self.logs[channel]
        return log.messages(log.thread(root_of(self.message(channel, ts))))

    def whisper(self, message: Json) -> str:
        """Say something that one person sees."""
        ts = self.new_ts()
        heard = self.whispers.setdefault(message["user"], [])
        heard.append({"type": "message", "ts": ts, **message})
        del heard[:-_MOST_WHISPERS]
        self.touch()
        return ts

    def whispered(self, user: str, ts: str) -> Json | None:
        """What one person was told at that time."""
        heard = self.whispers.get(user, [])
        return next((m for m in reversed(heard) if m["ts"] == ts), None)

    def react(self, channel: str, ts: Any, *, name: str, user: str) -> None:
        """Add an emoji to a message, once per person."""
        message = self.message(channel, ts)
        reactions = message.setdefault("reactions", [])
        found = next((r for r in reactions if r["name"] == name), None)
        if found is None:
            if len(reactions) >= _MOST_EMOJI:
                raise Refused("too_many_emoji")
            found = {"name": name, "users": [], "count": 0}
            reactions.append(found)
        if user in found["users"]:
            raise Refused("already_reacted")
        found["users"].append(user)
        found["count"] += 1
        self.touch_message(channel, message["ts"])

    def unreact(self, channel: str, ts: Any, *, name: str, user: str) -> None:
        """Take one's own emoji away."""
        message = self.message(channel, ts)
        reactions = message.get("reactions", [])
        found = next((r for r in reactions if r["name"] == name), None)
        if found is None or user not in found["users"]:
            raise Refused("no_reaction")
        found["users"].remove(user)
        found["count"] -= 1
        if not found["users"]:
            reactions.remove(found)
        self.touch_message(channel, message["ts"])
