"""Which workspace a request comes from, known to all that is done for it.

An assistant is reachable from its own workspace only. What a request asks for is done in tasks and
threads of its own; all of them see the same visit.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.orm import Session

from records.assistant import Assistant


@dataclass(frozen=True, slots=True)
class Visit:
    """A request from a workspace; `sole`: there is no other one."""

    team: str
    sole: bool
    check: Callable[[Session], None] | None = None
    """Raises Forbidden where the request names what belongs to another workspace."""

    def reaches(self, assistant: Assistant) -> bool:
        """Whether an assistant may be spoken of: without a workspace it belongs to the only one."""
        workspace = assistant.slack.workspace
        return workspace == self.team if workspace else self.sole


_CURRENT: ContextVar[Visit | None] = ContextVar("visit", default=None)


def current() -> Visit | None:
    """The visit that this is done for; None for what the bot does by itself."""
    return _CURRENT.get()


def begin(visit: Visit) -> None:
    """From here on, this task and what it starts work for a visit."""
    _CURRENT.set(visit)
