"""How the sides of an experiment stand: what conversations led to, counted by SQL.

Counts, no verdict: a difference in them may well be chance. Colleagues' trials are left out.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select
from sqlalchemy.orm import Session

from records.outcomes import CSAT, THUMB
from records.tables import (
    Conversation,
    Escalation,
    Experiment,
    Flag,
    Outcome,
    Release,
    Turn,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What one side has led to. A conversation counts once in each column, whatever its length."""

    arm: str | None
    """None: the customers who stay with the champion."""
    version: str | None
    share: float
    customers: int = 0
    """One whose name is unknown counts once per conversation."""
    conversations: int = 0
    escalated: int = 0
    flagged: int = 0
    rated: int = 0
    """Conversations in which the customer gave a thumb or a CSAT."""
    thumbs: int = 0
    thumbs_up: int = 0
    csat: int = 0
    """How many gave one."""
    mean_csat: float | None = None


def standings(session: Session, experiment: Experiment) -> list[Standing]:
    """The champion's side, then the arms in their order."""
    return [champions(session, experiment)] + [
        _measured(session, experiment, Standing(arm.name, arm.version, arm.share))
        for arm in experiment.arms
    ]


def champions(session: Session, experiment: Experiment) -> Standing:
    """The champion's side alone."""
    champion = _champion_at(session, experiment.assistant, experiment.started_at)
    rest = 1.0 - sum(arm.share for arm in experiment.arms)
    return _measured(session, experiment, Standing(None, champion, max(0.0, rest)))


def _measured(session: Session, experiment: Experiment, side: Standing) -> Standing:
    """The side with its counts; each look goes from its turns, which have an index by version."""
    began = experiment.started_at
    turns = and_(*_answered_by(side, experiment))
    talked = (
        select(Conversation.id, func.coalesce(Conversation.customer, Conversation.id).label("who"))
        .where(
            Conversation.id.in_(select(Turn.conversation_id).where(turns)),
            Conversation.trial.is_(False),
            *([Conversation.created_at >= began] if side.arm is None else []),
        )
        .subquery()
    )
    escalated = exists().where(
        Escalation.conversation_id == talked.c.id, Escalation.opened_at >= began
    )
    flagged = exists().where(Turn.conversation_id == talked.c.id, turns, Flag.turn_id == Turn.id)
    rated = exists().where(
        Outcome.conversation_id == talked.c.id, Outcome.metric.in_((THUMB, CSAT))
    )
    counted = session.execute(
        select(
            func.count(talked.c.who.distinct()),
            func.count(),
            _how_many(escalated),
            _how_many(flagged),
            _how_many(rated),
        ).select_from(talked)
    ).one()
    ratings = _ratings(session, select(talked.c.id))
    return Standing(side.arm, side.version, side.share, *counted, *ratings)


def _answered_by(side: Standing, experiment: Experiment) -> list[ColumnElement[bool]]:
    """The turns that a side answered."""
    if side.arm is not None:
        return [
            Turn.version == side.version,
            Turn.experiment == experiment.id,
            Turn.arm == side.arm,
        ]
    until = [Turn.created_at < experiment.stopped_at] if experiment.stopped_at else []
    return [
        Turn.version == side.version,
        Turn.experiment.is_(None),
        Turn.created_at >= experiment.started_at,
        *until,
    ]


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _ratings(
    session: Session, conversations: Select[tuple[str]]
) -> tuple[int, int, int, float | None]:
    """Thumbs, thumbs up, CSATs and their mean."""
    rows = session.execute(
        select(Outcome.metric, func.count(), func.sum(Outcome.value))
        .where(Outcome.conversation_id.in_(conversations), Outcome.metric.in_((THUMB, CSAT)))
        .group_by(Outcome.metric)
    ).tuples()
    found = {metric: (count, total) for metric, count, total in rows}
    thumbs, up = found.get(THUMB, (0, 0))
    csat, total = found.get(CSAT, (0, 0))
    return thumbs, round(up), csat, (total / csat if csat else None)


def _champion_at(session: Session, assistant: str, at: datetime) -> str | None:
    """The version that the release pointer named; a new one would have ended the experiment."""
    return session.scalar(
        select(Release.version)
        .where(Release.assistant == assistant, Release.created_at <= at)
        .order_by(Release.id.desc())
        .limit(1)
    )
