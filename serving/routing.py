"""Which version answers: release history, experiments, and what a conversation began with. Pure."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

from records.places import PLACES, Spans


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a running experiment, and the places of the customers it holds."""

    name: str
    version: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class Experiment:
    """A running experiment."""

    id: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A version that answers a `share` (0..1) of the questions unseen."""

    id: str
    version: str
    share: float


@dataclass(frozen=True, slots=True)
class Lane:
    """How an assistant's traffic is to be divided."""

    standing: tuple[str, ...]
    """Versions that may serve: the release pointer first, then what it came from."""
    experiment: Experiment | None = None
    shadow: Shadow | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """What a conversation was answered by before."""

    version: str
    experiment: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The version that answers, and the experiment's arm that it answers for, if any."""

    version: str
    experiment: str | None = None
    arm: str | None = None
    for_tester: bool = False
    """Asked for by a tester: what the conversation is answered by otherwise stays as it is."""


def champion(
    lane: Lane,
    *,
    ready: Callable[[str], bool],
    refused: Collection[str],
    current: str | None,
) -> str:
    """The version that serves now: the pointer's, or the one before while that is being loaded.

    `current` is what this function said last; it goes on serving until its successor is ready. A
    version that failed its proof (`refused`) is passed over.
    """
    able = [v for v in lane.standing if v not in refused] or list(lane.standing)
    if current in able and not ready(able[0]):
        return str(current)
    return able[0]


def digest(name: str) -> int:
    """64 bits that are evenly spread over names, and the same on every host."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def place(unit: str, experiment_id: str) -> int:
    """The place of a customer in an experiment, of `PLACES`."""
    return digest(f"{experiment_id}:{unit}") * PLACES >> 64


def assign(unit: str, experiment: Experiment) -> Arm | None:
    """The arm of a customer; None for the share that stays with the champion."""
    at = place(unit, experiment.id)
    for arm in experiment.arms:
        for first, end in arm.spans:
            if first <= at < end:
                return arm
    return None


def sampled(turn_id: str, shadow: Shadow) -> bool:
    """Whether the shadow answers this turn's question too."""
    return digest(f"{shadow.id}:{turn_id}") < shadow.share * 2**64


def choose(
    lane: Lane,
    *,
    champion: str,
    unit: str,
    ready: Callable[[str], bool],
    pin: Pin | None = None,
) -> Choice:
    """The version for a turn.

    A conversation stays with the version that it began with as long as that may serve: it stands
    in the release history and was not rolled back, or the running experiment tests it. `unit` is
    the customer, or the conversation where the customer is unknown.
    """
    running = lane.experiment
    arm = assign(unit, running) if running else None
    if pin is not None and ready(pin.version):
        if running and pin.experiment == running.id:
            own = arm if arm and arm.version == pin.version else _tested(running, pin.version)
            if own is not None:
                return Choice(pin.version, running.id, own.name)
        if pin.version in lane.standing:
            return Choice(pin.version)
    if running and arm and ready(arm.version):
        return Choice(arm.version, running.id, arm.name)
    return Choice(champion)


def _tested(experiment: Experiment, version: str) -> Arm | None:
    """The arm that a conversation is in whose customer has left that arm by a ramp."""
    return next((arm for arm in experiment.arms if arm.version == version), None)
