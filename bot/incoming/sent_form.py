"""The form that a request sends, known to all that is done for it.

A form closes when it is acknowledged, and what a person typed is gone with it. So where its work
takes longer than people wait, the form is kept first, as events are, and worked on from there.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from bot.incoming.journal import Event

KIND = "view_submission"


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form as Slack sent it; `is_again`: it was kept, and is worked on from the journal."""

    body: Event
    is_again: bool

    @property
    def event(self) -> Event:
        """The form as the inbox keeps it; two of one view differ in what was entered."""
        view = self.body["view"]
        return {**self.body, "event_id": f"form:{view['id']}:{view.get('hash', '')}"}


_CURRENT: ContextVar[SentForm | None] = ContextVar("sent_form", default=None)


def current() -> SentForm | None:
    """The form that this is done for, where it is done for one."""
    return _CURRENT.get()


def begin(body: dict[str, Any]) -> None:
    """From here on, this task and what it starts work for what a request sends."""
    is_form = body.get("type") == KIND
    _CURRENT.set(SentForm(body, "event_id" in body) if is_form else None)
