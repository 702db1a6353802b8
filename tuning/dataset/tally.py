"""What each cleaning step did, as the dataset's card shows it: counts, samples, time. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tuning.dataset.examples import TrainingExample

SAMPLES = 3
"""Of each step so many dropped examples and so many changes are shown, the first by their ids."""
CHARACTERS = 160
_BEFORE = 40
"""Characters shown before the place where a text was changed."""


@dataclass(slots=True)
class Tally:
    """What one step did with the examples that it was given."""

    name: str
    kept: int = 0
    changed: int = 0
    dropped: int = 0
    whys: Counter[str] = field(default_factory=Counter)
    samples: list[dict[str, str]] = field(default_factory=list)
    changes: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    """Of processor time, on all cores together."""

    @property
    def is_full(self) -> bool:
        """Whether it needs no more samples."""
        return len(self.samples) >= SAMPLES and len(self.changes) >= SAMPLES

    def add(self, other: "Tally") -> None:
        """Take in what the same step did with later examples."""
        self.kept += other.kept
        self.changed += other.changed
        self.dropped += other.dropped
        self.whys += other.whys
        self.samples = (self.samples + other.samples)[:SAMPLES]
        self.changes = (self.changes + other.changes)[:SAMPLES]
        self.seconds += other.seconds

    def as_json(self) -> dict[str, Any]:
        """As the card holds it; the rate is that of one core, None where it took no time."""
        given = self.kept + self.dropped
        return {
            "name": self.name,
            "kept": self.kept,
            "changed": self.changed,
            "dropped": self.dropped,
            "whys": dict(self.whys.most_common(20)),
            "samples": self.samples,
            "changes": self.changes,
            "seconds": round(self.seconds, 3),
            "per_second_and_core": round(given / self.seconds) if self.seconds > 0 else None,
        }


def sample(example: TrainingExample, why: str = "") -> dict[str, str]:
    """The first words of an example, and why it is shown."""
    asked = example.prompt[-1].content if example.prompt else ""
    answer = example.answer or example.rejected or ""
    found = {"id": example.id, "asked": asked[:CHARACTERS], "answer": answer[:CHARACTERS]}
    return {**found, "why": why} if why else found


def change(before: TrainingExample, after: TrainingExample) -> dict[str, str]:
    """The first text of an example that a step changed, around the place; else what else is."""
    pairs = [(m.content, n.content) for m, n in zip(before.prompt, after.prompt, strict=False)]
    pairs += [(before.answer, after.answer), (before.rejected or "", after.rejected or "")]
    one, other = next(((a, b) for a, b in pairs if a != b), ("", ""))
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, at - _BEFORE)
    cut = slice(start, start + CHARACTERS)
    return {"id": after.id, "before": one[cut], "after": other[cut]}
