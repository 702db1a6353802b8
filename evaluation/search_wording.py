"""How a recipe was found, in words: the table of trials, what it says, the plot's text. Pure.

`found` is what `tuning/search/outcome.py` leaves in an adapter's manifest.
"""

from collections.abc import Mapping
from typing import Any

from records.text import time_words

Row = tuple[str, ...]

HEADING = ("Trial", "Held-out quality", "Took", "Recipe")
_ENDS = {"whole": "", "pruned": "left early", "failed": "failed", "running": "not ended"}
_MOST_ROWS = 30


def trial_rows(found: Mapping[str, Any]) -> list[Row]:
    """The table of trials, its heading first; of many the best ones."""
    trials = found["trials"]
    if len(trials) > _MOST_ROWS:
        ranked = sorted(trials, key=lambda one: (one["end"] != "whole", -(one["quality"] or 0.0)))
        kept = {one["number"] for one in ranked[:_MOST_ROWS]} | {1}
        trials = [one for one in trials if one["number"] in kept]
    return [HEADING, *(_row(found, trial) for trial in trials)]


def sentences(found: Mapping[str, Any]) -> list[str]:
    """What was found, on which evidence, and how to keep it."""
    report, number = found["report"], found["chosen"]
    said = [
        f"{len(found['trials'])} recipes were tried in {time_words(found['spent_seconds'])} of "
        f"{time_words(found['budget_seconds'])}. "
        + (
            "None was better than the default."
            if number == 1
            else f"Trial {number} was the best: {_settings(found['recipe'])}."
        )
    ]
    chosen, default = report["chosen"], report["default"]
    by = f"On the {report['prompts']} held-out questions that no recipe was chosen by"
    if number == 1:
        said.append(f"{by}, it serves {_share(chosen)} right.")
    else:
        said.append(
            f"{by}, it serves {_share(chosen)} right, the default recipe {_share(default)}. (The "
            f"table's figures are of the {found['prompts']} that it was chosen by, and flatter it.)"
        )
    return said


def to_keep(found: Mapping[str, Any]) -> str | None:
    """What to write into the assistant's file to train so from now on; None: nothing."""
    if not found["recipe"]:
        return None
    settings = ", ".join(f"{key}: {_number(value)}" for key, value in found["recipe"].items())
    return f"To train so from now on, put into the assistant's `recipe`: {settings}"


def alt_text(found: Mapping[str, Any]) -> str:
    """The plot in a sentence or two."""
    whole = [one for one in found["trials"] if one["end"] == "whole" and one["quality"] is not None]
    pruned = sum(one["end"] == "pruned" for one in found["trials"])
    ends = ", ".join(f"trial {one['number']} {one['quality']:.2f}" for one in whole[:_MOST_ROWS])
    said = f"Held-out quality by trial: {ends}; {pruned} left early. Best: trial {found['chosen']}."
    shares = sorted(found["importances"].items(), key=lambda pair: -pair[1])
    if not shares:
        return f"{said} Too few trials ran to their end to say what mattered."
    return f"{said} What mattered: {', '.join(f'{key} {share:.0%}' for key, share in shares)}."


def _row(found: Mapping[str, Any], trial: Mapping[str, Any]) -> Row:
    number = trial["number"]
    names = ["default"] if number == 1 else []
    names += ["chosen"] if number == found["chosen"] else []
    name = f"{number} ({', '.join(names)})" if names else str(number)
    quality = "–" if trial["quality"] is None else f"{trial['quality']:.3f}"
    end = "cut by the clock" if trial["cut"] else _ENDS.get(trial["end"], trial["end"])
    seconds = "–" if trial["seconds"] is None else time_words(trial["seconds"])
    return (name, f"{quality} {end}".strip(), seconds, _settings(trial["values"]))


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_number(value)}" for key, value in values.items())


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _share(estimate: Mapping[str, Any]) -> str:
    if estimate["quality"] is None:
        return "an unknown share"
    words = f"{100 * estimate['quality']:.1f} %"
    return f"{words} [{100 * estimate['low']:.1f}, {100 * estimate['high']:.1f}]"
