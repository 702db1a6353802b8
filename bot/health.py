"""Whether the bot does its work, and what a person must mend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Health:
    """`ok`: requests are heard and messages are sent; where not, a restart may help."""

    ok: bool
    problems: Sequence[str] = ()
    """Sentences that say what to mend: the app's rights, a channel, a workspace."""
    waiting: int = 0
    """Events that are acknowledged and not worked on yet."""
    put_aside: int = 0
    """Events that failed again and again; they are tried anew when the bot starts."""

    @property
    def body(self) -> dict[str, Any]:
        """The answer to who asks; what is as it should be is left out."""
        told: dict[str, Any] = {"ok": self.ok}
        if self.problems:
            told["problems"] = list(self.problems)
        if self.waiting:
            told["events_waiting"] = self.waiting
        if self.put_aside:
            told["events_put_aside"] = self.put_aside
        return told
