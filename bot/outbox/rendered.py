"""What the bot does in Slack for a row of the outbox, as plain values."""

from dataclasses import dataclass
from pathlib import Path

from bot.views.content import Content


@dataclass(frozen=True, slots=True)
class Post:
    """A new message; `channel` is an id or a name."""

    channel: str
    content: Content
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """A new content for messages that stand there: (channel, ts). `last`: no further will come."""

    targets: tuple[tuple[str, str], ...]
    content: Content
    last: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for a thread; its name says whether it is there yet."""

    channel: str
    thread_ts: str
    path: Path | None
    """Where it lies; None where `text` is its content."""
    name: str
    alt_text: str = ""
    """What a picture shows."""
    text: str = ""
    comment: str = ""
    """What is said with it, in our own words."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on a message, if one is named; those that it stands `instead_of` go."""

    channel: str
    ts: str
    name: str
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to show, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """What it belongs to does not stand in Slack yet."""


Rendered = Post | Update | Upload | Reaction | Nothing | NotYet
