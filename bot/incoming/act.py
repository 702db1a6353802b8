"""What a person does with a press or a form, known to all that is done for it.

Slack never repeats it, and a form closes with what was typed when it is acknowledged. So where the
work takes longer than people wait, the act is kept on disk until the work is done.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from bot.incoming.journal import Event

FRESH_SECONDS = 15 * 60.0
_KEPT_AT, _LASTS = "kept_at", "lasts"


@dataclass(frozen=True, slots=True)
class Act:
    """A press or a form, as Slack sent it or as it was kept."""

    body: Event

    @property
    def is_again(self) -> bool:
        """Whether it was kept, and is worked on from the journal."""
        return _KEPT_AT in self.body

    def is_stale(self, now: float) -> bool:
        """Whether nobody would want it done any more; `now` in seconds since 1970."""
        age = now - float(self.body.get(_KEPT_AT, now))
        return not self.body.get(_LASTS, True) and age > FRESH_SECONDS

    def event(self, *, now: float, lasts: bool) -> Event:
        """The act as it is kept; one that `lasts` is worth doing at any later time."""
        return {**self.body, "event_id": _name(self.body), _KEPT_AT: now, _LASTS: lasts}


def _name(body: Event) -> str:
    """An id of its own: forms differ by what was entered, presses by their time."""
    view, user = body.get("view") or {}, body["user"]["id"]
    if body["type"] == "view_submission":
        return f"form:{view['id']}:{view.get('hash', '')}"
    return f"press:{user}:{body['actions'][0]['action_ts']}"


_CURRENT: ContextVar[Act | None] = ContextVar("act", default=None)


def current() -> Act | None:
    """The act that this is done for, where it is done for one."""
    return _CURRENT.get()


def begin(body: dict[str, Any]) -> None:
    """From here on, this task and what it starts work for what a request brings."""
    kept = body.get("type") in ("view_submission", "block_actions")
    _CURRENT.set(Act(body) if kept else None)
