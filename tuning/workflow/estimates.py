"""How long a training will take: its tokens, by the rate of the last one that was like it.

An upper bound, for early stopping may end it sooner. Where nothing like it ran before, the
training's own first steps tell.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from records import versions
from records.states import TrainingMethod
from tuning.training.recipe import Recipe

_ALIKE = ("method", "quantise", "precision", "gradient_checkpointing")
"""What makes the same number of tokens take another time, beside the base and the device."""
_PAIR = 2  # a preferred and a rejected answer, or an answer and the model's own before
_STEPS_TO_KNOW = 3
"""Steps after which a training's own pace is known: the first ones also warm up."""


def passes(recipe: Recipe) -> float | None:
    """How often a run goes over its lessons; None where that cannot be told before."""
    preference = recipe.preference_epochs * _PAIR
    return {
        TrainingMethod.SFT: recipe.epochs,
        TrainingMethod.DPO: preference,
        TrainingMethod.KTO: preference,
        TrainingMethod.SFT_DPO: recipe.epochs + preference,
    }.get(recipe.method)


def total_tokens(characters: int, sample: Sequence[tuple[int, int]]) -> int:
    """Tokens of all lessons, from their characters and a sample of (characters, tokens); 0 of none.

    A ratio estimate: lessons differ much in length and little in characters per token.
    """
    sampled = sum(length for length, _ in sample)
    return round(characters * sum(tokens for _, tokens in sample) / sampled) if sampled else 0


def rate(
    manifests: Sequence[Mapping[str, Any]], recipe: Recipe, *, base_hash: str, gpu: bool
) -> float | None:
    """Trained tokens a second of the first run that is like the one to come; None: there is none.

    Looks at held-out examples, checkpoints and loading are part of it, as they will be again.
    """
    wanted = recipe.model_dump(mode="json")
    for manifest in manifests:
        ran = manifest.get("recipe") or {}
        tokens = (manifest.get("metrics") or {}).get("trained_tokens")
        seconds = manifest.get("training_seconds")
        alike = all(ran.get(key) == wanted[key] for key in _ALIKE)
        same_base = manifest.get("base_hash") == base_hash
        same_device = (manifest.get("device", "cpu") != "cpu") is gpu
        if tokens and seconds and alike and same_base and same_device:
            return float(tokens) / float(seconds)
    return None


def last_manifests(session: Session, assistant: str, *, most: int = 20) -> list[dict[str, Any]]:
    """What the assistant's last trainings noted, the newest first."""
    trained = [v for v in versions.listed(session, assistant) if v.adapter_path is not None]
    newest = sorted(trained, key=lambda version: version.created_at, reverse=True)
    return [dict(version.manifest or {}) for version in newest[:most]]


def by_pace(line: Mapping[str, Any]) -> float | None:
    """Seconds of a whole training by its own first steps, from a line of its progress."""
    done, planned, elapsed = (line.get(k) for k in ("step", "steps", "elapsed_seconds"))
    if not (done and planned and elapsed) or done < _STEPS_TO_KNOW:
        return None
    return float(elapsed) / float(done) * float(planned)


def beside_limit(seconds: float, recipe: Recipe) -> str:
    """A sentence on the time that a training takes, and on the time that it is given."""
    minutes = seconds / 60
    expected = (
        f"Training takes about {minutes:.0f} minutes"
        if minutes >= 1.5
        else (f"Training takes about {seconds:.0f} seconds")
    )
    most = recipe.max_minutes
    if most is None or most >= minutes:
        return f"{expected}."
    return (
        f"{expected}, and max_minutes ends it after {most:g}, at about {most / minutes:.0%} of its "
        "steps, with the best that it has found by then."
    )
