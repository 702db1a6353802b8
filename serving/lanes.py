"""What the records say of traffic: a mark that moves with every change, and all that it stands for.

The mark is read several times a second by every gateway process, so it is a few rows found by
their indexes; the release history is read only when its mark has moved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, func, literal, select, union_all
from sqlalchemy.orm import Session

from records import versions
from records.states import ExperimentState
from records.tables import Arm as ArmRow
from records.tables import Experiment as ExperimentRow
from records.tables import Release, Version
from records.tables import Shadow as ShadowRow
from serving.routing import Arm, Experiment, Lane, Shadow

_STANDBY = 2
"""Versions kept ready for a promotion. More would take the places of those that serve."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What every change of traffic changes, by assistant."""

    releases: Mapping[str, int]
    """The newest change of the release pointer. Those of one assistant come one after another."""
    experiments: Mapping[str, Experiment]
    shadows: Mapping[str, Shadow]


_ARMS = (
    select(ExperimentRow.assistant, ExperimentRow.id, ArmRow.name, ArmRow.version, ArmRow.spans)
    .join(ArmRow, ArmRow.experiment_id == ExperimentRow.id)
    .where(ExperimentRow.state == ExperimentState.RUNNING)
    .order_by(ArmRow.position)
)
_SHADOWS = select(ShadowRow.assistant, ShadowRow.id, ShadowRow.version, ShadowRow.share).where(
    ShadowRow.state == ExperimentState.RUNNING
)


@cache
def _newest(assistants: tuple[str, ...]) -> CompoundSelect[Any]:
    """Each maximum is found at the end of an index; grouping would read all of it."""
    return union_all(
        *(
            select(literal(name), func.max(Release.id)).where(Release.assistant == name)
            for name in assistants
        )
    )


def read_mark(session: Session, assistants: tuple[str, ...]) -> Mark:
    """Read where traffic stands now."""
    newest = session.execute(_newest(assistants)).tuples()
    arms = session.execute(_ARMS).tuples()
    shadows = session.execute(_SHADOWS).tuples()
    return Mark(
        releases={assistant: id_ for assistant, id_ in newest if id_ is not None},
        experiments=_experiments(arms),
        shadows={name: Shadow(id_, version, share) for name, id_, version, share in shadows},
    )


def _experiments(
    rows: Iterable[tuple[str, str, str, str, list[list[int]]]],
) -> dict[str, Experiment]:
    ids: dict[str, str] = {}
    arms: dict[str, list[Arm]] = {}
    for assistant, id_, name, version, spans in rows:
        ids[assistant] = id_
        places = tuple((first, end) for first, end in spans)
        arms.setdefault(assistant, []).append(Arm(name, version, places))
    return {assistant: Experiment(id_, tuple(arms[assistant])) for assistant, id_ in ids.items()}


@dataclass(frozen=True, slots=True)
class Adapters:
    """An assistant's adapters: where each lies, and which are kept ready for a promotion."""

    paths: Mapping[str, str]
    standby: tuple[str, ...] = ()


def read_standing(session: Session, assistant: str) -> tuple[str, ...]:
    """Read the versions that may serve."""
    return versions.standing(versions.releases(session, assistant))


def read_adapters(session: Session, assistant: str, *, champion: str) -> Adapters:
    """Read what there is to be loaded; it changes with trainings and reports, seldom."""
    rows = session.execute(
        select(Version.id, Version.adapter_path).where(
            Version.assistant == assistant, Version.adapter_path.is_not(None)
        )
    )
    return Adapters(
        paths={name: path for name, path in rows if path is not None},
        standby=tuple(versions.passed(session, assistant, champion=champion, most=_STANDBY)),
    )


def lanes_of(mark: Mark, standing: Mapping[str, tuple[str, ...]]) -> dict[str, Lane]:
    """How each assistant's traffic is to be divided."""
    return {
        name: Lane(stack, mark.experiments.get(name), mark.shadows.get(name))
        for name, stack in standing.items()
    }
