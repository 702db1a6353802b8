"""Which assistant a command means, and how its channel is named."""

from collections.abc import Mapping
from typing import Any

from bot.desk import Desk
from bot.text import literal
from records.assistant import Assistant, pick_assistant
from records.errors import NotFound


def assistant_of(desk: Desk, command: Mapping[str, Any], *, named: str | None) -> Assistant:
    """The assistant that is named, or the one whose channel this is, or the only one.

    Raises:
        NotFound: no such assistant, or several and none is meant.
    """
    here = (command["channel_id"], command.get("channel_name"))
    of_channel = [a for a in desk.assistants.values() if a.slack.channel.removeprefix("#") in here]
    if not named and len(of_channel) == 1:
        return of_channel[0]
    return pick_assistant(dict(desk.assistants), named or None)


def assistant_here(desk: Desk, command: Mapping[str, Any]) -> str | None:
    """The assistant that is meant where none is named; None where that is not clear."""
    try:
        return assistant_of(desk, command, named=None).name
    except NotFound:
        return None


def words_of(command: Mapping[str, Any]) -> list[str]:
    """What was written after a command."""
    return str(command.get("text") or "").split()


def first_word(command: Mapping[str, Any]) -> str | None:
    """The first word after a command."""
    return next(iter(words_of(command)), None)


def shown_channel(channel: str) -> str:
    """A channel, given by id or name, as Slack shows it."""
    return f"<#{channel}>" if channel.isupper() else literal(f"#{channel.removeprefix('#')}")
