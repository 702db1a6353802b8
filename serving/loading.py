"""Which adapters an engine is to keep loaded, and which goes when there is no room. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from serving.routing import Lane


class Need(IntEnum):
    """What a version is loaded for; the most urgent first."""

    CHAMPION = 0
    ARM = 1
    SHADOW = 2
    WAY_BACK = 3
    """What a roll-back would go to."""
    TESTER = 4
    STANDBY = 5
    """Passed the gate: a promotion shall switch at once."""
    EARLIER = 6
    """Further back in the release history; conversations may still be with it."""


@dataclass(frozen=True, slots=True)
class Want:
    """A version that shall be loaded on every engine of its assistant."""

    version: str
    path: str
    """Where its adapter lies in the artifact store."""
    need: Need


def wants_of(
    lane: Lane,
    *,
    paths: Mapping[str, str],
    serving: str | None,
    standby: Iterable[str],
    testers: Iterable[str],
) -> tuple[Want, ...]:
    """What is to be loaded for an assistant, the most urgent first.

    `serving` is what answers until the release pointer's version is ready; versions without a path
    are bare bases, which need no loading.
    """
    arms = lane.experiment.arms if lane.experiment else ()
    needs = [
        *((version, Need.CHAMPION) for version in lane.standing[:1]),
        *((version, Need.CHAMPION) for version in lane.standing if version == serving),
        *((arm.version, Need.ARM) for arm in arms),
        *((shadow.version, Need.SHADOW) for shadow in (lane.shadow,) if shadow),
        *((version, Need.WAY_BACK) for version in lane.standing[1:2]),
        *((version, Need.TESTER) for version in testers),
        *((version, Need.STANDBY) for version in standby),
        *((version, Need.EARLIER) for version in lane.standing[2:]),
    ]
    wants: dict[str, Want] = {}
    for version, need in needs:
        if version in paths:
            wants.setdefault(version, Want(version, paths[version], need))
    return tuple(wants.values())


def kept(wanted: Iterable[Want], *, refused: Collection[str], most: int) -> list[Want]:
    """What is to be loaded, the most urgent first: never more than there is room for."""
    able = [want for want in wanted if want.version not in refused]
    return sorted(able, key=lambda want: want.need)[:most]


def may_displace(want: Want) -> bool:
    """Whether others are unloaded for it; an earlier version is loaded only where there is room."""
    return want.need is not Need.EARLIER


def to_displace(
    loaded: Collection[str],
    *,
    keep: Collection[str],
    most: int,
    in_use: Collection[str],
    used_at: Mapping[str, float],
) -> list[str]:
    """Adapters to be unloaded so that one more finds room, those that are not in use first.

    Among equals the least recently used goes first. Fewer than needed where the others are kept.
    """
    excess = len(loaded) + 1 - most
    able = [version for version in loaded if version not in keep]
    able.sort(key=lambda version: (version in in_use, used_at.get(version, 0.0), version))
    return able[: max(0, excess)]
