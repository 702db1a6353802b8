"""Which version answers: release history, experiments, and what a conversation began with. Pure."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from records.states import ReleaseAction


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a running experiment; `share` of customers, 0..1."""

    name: str
    version: str
    share: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """A running experiment."""

    id: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """How an assistant's traffic is to be divided."""

    standing: tuple[str, ...]
    """Versions that may serve: the release pointer first, then what it came from."""
    experiment: Experiment | None = None


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


def standing(releases: Iterable[tuple[str, str | None, ReleaseAction]]) -> tuple[str, ...]:
    """Versions that may serve, given `(version, replaces, action)` from the oldest release on.

    A version from which a roll-back went away may not, until it is promoted again.
    """
    stack: list[str] = []
    for version, replaces, action in releases:
        gone = {version, replaces} if action is ReleaseAction.ROLLBACK else {version}
        stack = [version, *(v for v in stack if v not in gone)]
    return tuple(stack)


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


def place(unit: str, experiment_id: str) -> float:
    """Where a customer stands in an experiment: uniform in 0..1, the same on every host."""
    digest = hashlib.sha256(f"{experiment_id}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def assign(unit: str, experiment: Experiment) -> Arm | None:
    """The arm of a customer; None for the share that stays with the champion.

    The first arm takes its share from the left end, the second from the right end, so that
    growing one of them moves only customers who had no arm; further arms stand beside the first.
    """
    at = place(unit, experiment.id)
    left = 0.0
    for index, arm in enumerate(experiment.arms):
        if index == 1:
            if at >= 1 - arm.share:
                return arm
            continue
        if left <= at < left + arm.share:
            return arm
        left += arm.share
    return None


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
        if running and pin.experiment == running.id and arm and arm.version == pin.version:
            return Choice(pin.version, running.id, arm.name)
        if pin.version in lane.standing:
            return Choice(pin.version)
    if running and arm and ready(arm.version):
        return Choice(arm.version, running.id, arm.name)
    return Choice(champion)
