"""The modals that people have open: triggers that permit them, stacks of views, and what is typed.

No I/O. What a view may contain is block_rules' matter.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.standin.refusal import Refused

Json = dict[str, Any]

TRIGGER_SECONDS = 3.0
DEEPEST_STACK = 3
_FORGOTTEN_AFTER = 60.0
_MOST_DRAFTS = 2000


@dataclass(slots=True)
class Trigger:
    """A permission to open one view, for a person, for three seconds.

    `view_id` is the modal in which the person did what gave the permission.
    """

    user: str
    expires_at: float
    view_id: str | None = None
    used: bool = False


@dataclass(slots=True)
class Modals:
    """All open modals of a workspace. `clock` gives seconds since 1970."""

    clock: Callable[[], float]
    open: dict[str, Json] = field(default_factory=dict)
    _triggers: dict[str, Trigger] = field(default_factory=dict)
    _drafts: dict[str, Json] = field(default_factory=dict)

    def new_trigger(self, user: str, *, view_id: str | None = None) -> str:
        """What an act gives the app to open a view with."""
        now = self.clock()
        self._triggers = {
            k: t for k, t in self._triggers.items() if t.expires_at > now - _FORGOTTEN_AFTER
        }
        trigger = f"{int(now * 1000)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._triggers[trigger] = Trigger(user, now + TRIGGER_SECONDS, view_id)
        return trigger

    def use_trigger(self, trigger_id: Any) -> Trigger:
        """Spend a trigger.

        Raises:
            Refused: there is no such trigger, it was used before, or its time is over.
        """
        trigger = self._triggers.get(str(trigger_id))
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock() > trigger.expires_at:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger

    def stack(self, root: str) -> list[Json]:
        """The views that lie on each other, the lowest first."""
        return [v for v in self.open.values() if v["root_view_id"] == root]

    def check_room_on(self, under: Json) -> None:
        """See that one more view may lie on this one's stack.

        Raises:
            Refused: there are three.
        """
        if len(self.stack(under["root_view_id"])) >= DEEPEST_STACK:
            raise Refused("push_limit_reached")

    def top(self, user: str) -> Json | None:
        """The modal that a person sees, the newest where there are several."""
        return next((v for v in reversed(self.open.values()) if v["user"] == user), None)

    def put(self, view: Json) -> None:
        """Show a view, in its old place where it was shown before."""
        self.open[view["id"]] = view

    def take_away(self, view_id: str) -> None:
        """Close one view; the one under it is seen again."""
        self.open.pop(view_id, None)
        self._drafts.pop(view_id, None)

    def clear(self, root: str) -> list[Json]:
        """Close a whole stack; returns what was closed, the lowest first."""
        closed = self.stack(root)
        for view in closed:
            self.take_away(view["id"])
        return closed

    def draft(self, where: str) -> Json:
        """What has been entered in a view or message so far: block to action to state."""
        if where not in self._drafts and len(self._drafts) >= _MOST_DRAFTS:
            del self._drafts[next(iter(self._drafts))]
        return self._drafts.setdefault(where, {})
