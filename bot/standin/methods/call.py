"""One call of a method: its arguments, who makes it, and what may be asked about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.standin.given import parsed
from bot.standin.refusal import Refused
from bot.standin.tokens import Token, Tokens
from bot.standin.workspace import Json, Workspace

TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
SPECIAL = 0
"""Limited in its own way: messages by channel, the rest by nothing that is documented."""


@dataclass(slots=True)
class Call:
    """Arguments (query, form and JSON merged), and where they are to work.

    `events` collects what the app is to be told of.
    """

    workspace: Workspace
    given: Json
    url: str
    token: Token
    tokens: Tokens
    workspace_of: Callable[[str], Workspace]
    events: list[Json] = field(default_factory=list)

    def text(self, name: str, *, code: str = "invalid_arguments") -> str:
        """An argument that must be there.

        Raises:
            Refused: it is missing.
        """
        value = str(self.given.get(name) or "")
        if not value:
            raise Refused(code, messages=[f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """An argument that is true or false."""
        return str(self.given.get(name, "")).lower() in ("1", "true")

    def json(self, name: str, *, code: str = "invalid_arguments") -> Any:
        """An argument that is JSON or the text of it; None where it is missing."""
        return parsed(self.given[name], code=code) if self.given.get(name) else None

    def channel(self, name: str = "channel") -> str:
        """The channel that is meant, by its id.

        Raises:
            Refused: there is no such channel, or it is private and the app isn't in it.
        """
        channel = self.workspace.channel(self.given.get(name))
        known = self.workspace.channels[channel]
        if known["is_private"] and not known["is_member"]:
            raise Refused("channel_not_found")
        return channel

    def own_channel(self, name: str = "channel") -> str:
        """The channel that is meant, if the app is in it.

        Raises:
            Refused: it isn't.
        """
        channel = self.channel(name)
        if not self.workspace.channels[channel]["is_member"]:
            raise Refused("not_in_channel")
        return channel

    def require_scope(self, *scopes: str) -> None:
        """See that the token has one of these scopes.

        Raises:
            Refused: it has none of them.
        """
        if scopes and not self.token.scopes & set(scopes):
            provided = ",".join(sorted(self.token.scopes))
            details = {"needed": ",".join(scopes), "provided": provided}
            raise Refused("missing_scope", details=details)


@dataclass(frozen=True, slots=True)
class Method:
    """How a method answers, how often a minute it may be called, and one of which scopes it needs.

    `{kind}` in a scope stands for the kind of the conversation: channels, groups or im.
    """

    answer: Callable[[Call], Json]
    a_minute: int = TIER_3
    scopes: tuple[str, ...] = ()
    is_open: bool = False
    """Whether it may be called without a token."""
    is_for_app: bool = False
    """Whether the app's id and secret are asked for."""


def kind_of(channel: Json) -> str:
    """What Slack's scopes and events call this kind of conversation."""
    if channel["is_im"]:
        return "im"
    return "groups" if channel["is_private"] else "channels"
