"""What a reviewer chose in App Home, and where in the queue they are. Kept in the view itself."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from records.review import Wanted, Whose
from records.states import ExampleSource, FlagReason

_LONGEST_TRAIL = 20


@dataclass(frozen=True, slots=True)
class HomeState:
    """Filters, the example that is shown, and the ones before it, which *Back* goes to."""

    assistant: str | None = None
    source: ExampleSource | None = None
    reason: FlagReason | None = None
    whose: Whose = Whose.ANYONE
    shown: str | None = None
    trail: tuple[str, ...] = ()

    def dumped(self) -> str:
        """For the view's private metadata, within its 3,000 characters."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, metadata: str | None) -> "HomeState":
        """Back from a view's private metadata; what cannot be read is a fresh start."""
        try:
            return cls._read(json.loads(metadata or "{}"))
        except (ValueError, TypeError, AttributeError):
            return cls()

    @classmethod
    def _read(cls, given: dict[str, Any]) -> "HomeState":
        return cls(
            assistant=given.get("assistant"),
            source=ExampleSource(given["source"]) if given.get("source") else None,
            reason=FlagReason(given["reason"]) if given.get("reason") else None,
            whose=Whose(given.get("whose") or Whose.ANYONE),
            shown=given.get("shown"),
            trail=tuple(str(name) for name in given.get("trail") or ()),
        )

    def wanted(self, reviewer: str, assistants: tuple[str, ...]) -> Wanted:
        """Which examples the reviewer wants to see, of the assistants that they may."""
        chosen = tuple(name for name in assistants if self.assistant in (None, name))
        return Wanted(reviewer, chosen or assistants, self.source, self.reason, self.whose)

    @property
    def is_filtered(self) -> bool:
        """Whether anything was chosen."""
        return replace(self, shown=None, trail=()) != HomeState()

    def unfiltered(self) -> "HomeState":
        """The same place, with all filters taken away."""
        return HomeState(shown=self.shown, trail=self.trail)

    def showing(self, example_id: str | None) -> "HomeState":
        """The state in which another example is shown; the one before it is remembered."""
        if example_id == self.shown or self.shown is None:
            return replace(self, shown=example_id)
        trail = (*self.trail, self.shown)[-_LONGEST_TRAIL:]
        return replace(self, shown=example_id, trail=trail)

    def back(self) -> "HomeState":
        """The state in which the example before is shown again."""
        if not self.trail:
            return self
        return replace(self, shown=self.trail[-1], trail=self.trail[:-1])
