"""What a person wrote in a thread, as an event or a page of Slack's tells of it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import wording
from bot.incoming.rich_text import words_of
from bot.text import is_note, literal
from records.revisions import slack_source

_BROADCAST = "thread_broadcast"
_WRITTEN_BY_PEOPLE = (None, "file_share", _BROADCAST)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)")
_NAME = 60
_MOST_FILES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """A person's message in a thread."""

    user: str
    channel: str
    ts: str
    thread_ts: str
    words: str
    """As a customer would read them."""
    is_note: bool = False
    is_broadcast: bool = False
    """Whether it was sent to the channel too: that is talk among colleagues."""
    files: tuple[str, ...] = ()
    """What is attached, in words."""
    asks_bot: bool = False
    """Whether it speaks to the bot, as who wants a draft does."""

    @classmethod
    def read(
        cls, event: Mapping[str, Any], *, channel: str | None = None, bot: str | None = None
    ) -> "Message | None":
        """The message of an event; None where no person wrote it, or not in a thread.

        `bot` is the bot's user id.
        """
        by_a_person = event.get("user") and not event.get("bot_id")
        if not by_a_person or event.get("subtype") not in _WRITTEN_BY_PEOPLE:
            return None
        thread = event.get("thread_ts")
        if not thread or thread == event["ts"]:
            return None
        words, raw = words_of(event), event.get("text") or ""
        return cls(
            user=event["user"],
            channel=channel or event["channel"],
            ts=event["ts"],
            thread_ts=thread,
            words=words,
            is_note=is_note(raw) or is_note(words),
            is_broadcast=event.get("subtype") == _BROADCAST,
            files=(*named(event.get("files") or ()), *_forwarded(event)),
            asks_bot=bot is not None and bot in _MENTION.findall(raw),
        )

    @property
    def source(self) -> str:
        """The `source_key` of the turn that it may become."""
        return slack_source(self.channel, self.ts)

    @property
    def written_at(self) -> datetime:
        """When it was written, by Slack's clock."""
        return moment_of(self.ts)

    @property
    def is_internal(self) -> bool:
        """Whether it is for no customer, whoever wrote it and when."""
        return self.is_note or self.asks_bot

    @property
    def is_for_customers(self) -> bool:
        """Whether there is something in it that a customer may get."""
        return not self.is_internal and not self.is_broadcast and bool(self.words or self.files)


def moment_of(ts: str) -> datetime:
    """The time that Slack's id of a message or an event is made of, exact to the microsecond."""
    seconds, _, rest = ts.partition(".")
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(rest[:6].ljust(6, "0")))


def named(files: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Attached files in words: what kind each is of, and its name."""
    return tuple(_named(file) for file in files[:_MOST_FILES])


def _forwarded(event: Mapping[str, Any]) -> tuple[str, ...]:
    shares = [a for a in event.get("attachments") or () if a.get("is_share")]
    return (wording.replies.FORWARDED,) if shares else ()


def _named(file: Mapping[str, Any]) -> str:
    kind = str(file.get("mimetype") or "").partition("/")[0]
    name = str(file.get("name") or file.get("title") or "") or wording.replies.NO_NAME
    sentence = wording.replies.FILE_KINDS.get(kind, wording.replies.FILE)
    return sentence.format(name=literal(name, _NAME))
