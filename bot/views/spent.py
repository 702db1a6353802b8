"""What a retraining took, in one line."""

from collections.abc import Mapping
from typing import Any

from bot import wording
from bot.text import escaped
from bot.views.content import duration


def spent_line(spent: Mapping[str, Any]) -> str:
    """Time, time on the accelerator, cost where there is a price; empty where nothing is noted."""
    words = wording.retraining
    if not spent.get("seconds"):
        return ""
    parts = [words.SPENT.format(duration=duration(spent["seconds"]))]
    if spent.get("accelerator_seconds"):
        held = duration(spent["accelerator_seconds"])
        parts.append(words.SPENT_ACCELERATOR.format(duration=held))
    if spent.get("cost"):
        currency = escaped(str(spent.get("currency", "")))
        parts.append(words.SPENT_COST.format(cost=f"{spent['cost']:.2f}", currency=currency))
    return ", ".join(parts)
