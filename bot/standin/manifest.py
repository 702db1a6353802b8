"""What the app's manifest asks for: scopes, events, commands and shortcuts.

Whoever installs the app gets no more than this, here as at Slack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from bot.standin.methods.call import Method, kind_of
from bot.standin.workspace import Json, Workspace

MANIFEST = Path(__file__).resolve().parents[2] / "deploy" / "slack" / "manifest.yaml"
_EVENT_SCOPES = {
    "message": "{kind}:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "member_joined_channel": "{kind}:read",
    "member_left_channel": "{kind}:read",
    "assistant_thread_started": "assistant:write",
}
_KINDS = ("channels", "groups", "im", "mpim")


@cache
def read(path: Path = MANIFEST) -> Json:
    """What stands in a manifest's file; it is read once."""
    given: Json = yaml.safe_load(path.read_text())
    return given


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a manifest that change what the app gets."""

    scopes: frozenset[str]
    events: frozenset[str] | None
    commands: frozenset[str] | None
    shortcuts: frozenset[str] | None
    """None where everything is allowed."""

    @classmethod
    def read(cls, path: Path = MANIFEST) -> "Manifest":
        """The manifest in a file."""
        given = read(path)
        features, settings = given.get("features", {}), given.get("settings", {})
        events = settings.get("event_subscriptions", {}).get("bot_events", [])
        return cls(
            scopes=frozenset(given["oauth_config"]["scopes"]["bot"]),
            events=frozenset(events),
            commands=frozenset(c["command"] for c in features.get("slash_commands", [])),
            shortcuts=frozenset(s["callback_id"] for s in features.get("shortcuts", [])),
        )

    @classmethod
    def of_everything(cls, methods: Mapping[str, Method]) -> "Manifest":
        """What an app would get that asked for all there is."""
        named = {s for m in methods.values() for s in m.scopes} | set(_EVENT_SCOPES.values())
        scopes = {scope.format(kind=kind) for scope in named for kind in _KINDS}
        return cls(frozenset(scopes | {"commands", "chat:write.customize"}), None, None, None)

    def with_scopes(self, scopes: tuple[str, ...] | None) -> "Manifest":
        """The same with other scopes, where some are given."""
        return self if scopes is None else replace(self, scopes=frozenset(scopes))

    def wants(self, workspace: Workspace, event: Json) -> bool:
        """Whether the app has subscribed to an event, and is where it happened."""
        kind = str(event["type"])
        item = event.get("item") or {}
        known = workspace.channels.get(str(event.get("channel") or item.get("channel") or ""))
        if known is not None and not known["is_member"]:
            return False
        if kind == "message":
            kind = f"message.{kind_of(known)}" if known else kind
        needed = _EVENT_SCOPES.get(str(event["type"]), "")
        if known is not None:
            needed = needed.format(kind=kind_of(known))
        may_know = not needed or needed in self.scopes
        return may_know and (self.events is None or kind in self.events)
