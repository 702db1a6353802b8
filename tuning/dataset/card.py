"""The card of a dataset: what is in it, what was done to it, what to expect of it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.dataset.settling import Settled
from tuning.dataset.tally import CHARACTERS, Tally

SAMPLES = 3
_FEW = 1000


def card(
    figures: Mapping[str, Any],
    tallies: Sequence[Tally],
    first: Sequence[Mapping[str, Any]],
    *,
    assistant: str,
    synthetic: int = 0,
    settled: Settled | None = None,
) -> dict[str, Any]:
    """Figures by source and side, each step with samples of what it did, and warnings.

    `figures` are those of `statistics.py`; `first` are records of lessons, shown as samples.
    """
    counts = figures["counts"]
    return {
        "assistant": assistant,
        **figures,
        "counts": {**counts, "train": counts["train"] + synthetic},
        "synthetic": synthetic,
        "sent_back_to_review": len(settled.sent_back) if settled else 0,
        "steps": [tally.as_json() for tally in tallies],
        "warnings": _warnings(figures, settled or Settled()),
        "samples": [_sample(record) for record in first],
    }


def _sample(record: Mapping[str, Any]) -> dict[str, str]:
    prompt = record["prompt"]
    return {
        "id": record["id"],
        "asked": prompt[-1]["content"][:CHARACTERS] if prompt else "",
        "answer": (record["answer"] or record["rejected"] or "")[:CHARACTERS],
    }


def _warnings(figures: Mapping[str, Any], settled: Settled) -> list[str]:
    warnings = []
    total = sum(figures["counts"].values())
    if total < _FEW:
        warnings.append(
            f"Only {total} examples: expect better answers to what was corrected, but little that "
            f"carries over to new questions. {_FEW} or more make a difference."
        )
    if not figures["counts"]["held_out"]:
        warnings.append(
            "Nothing is held out, so training cannot stop early: too few examples, or all from one "
            "customer."
        )
    if not figures["by_source"]["train"].get("accepted"):
        warnings.append("No replay: training on corrections alone forgets what was right before.")
    if settled.sent_back:
        warnings.append(
            f"{len(settled.sent_back)} approved examples are contradicted by others and wait in "
            "review again; none of them is in this dataset."
        )
    return warnings
