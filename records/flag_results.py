"""What agents' flags led to: decisions, versions that were trained on them, fixes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from records import flags
from records.states import ExampleState, ReleaseAction
from records.tables import (
    Conversation,
    DatasetExample,
    Example,
    Fix,
    Flag,
    Release,
    Turn,
    Version,
)


@dataclass(slots=True)
class FlagResults:
    """Answers that an agent flagged, and what became of them."""

    flagged: int = 0
    without: int = 0
    """Answers of which nobody said what had been right: no example is made of them."""
    waiting: int = 0
    approved: int = 0
    rejected: int = 0
    why: Counter[str] = field(default_factory=Counter)
    """Why examples were rejected: a `RejectReason` or other words, and how often."""
    trained: int = 0
    """Answers whose correction is in a version's dataset."""
    fixed: int = 0
    """Answers that a version which was promoted gives rightly."""


def by_agent(
    session: Session, assistants: Sequence[str], *, since: datetime, agent: str | None = None
) -> dict[str, FlagResults]:
    """What flags that stand led to, for each agent (or one), those with most flags first."""
    found: dict[str, FlagResults] = {}
    for row in session.execute(_flags(assistants, since=since, agent=agent)):
        _count(found.setdefault(row.agent, FlagResults()), row)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].flagged, pair[0]))
    return dict(ordered)


def _count(results: FlagResults, row: Any) -> None:
    results.flagged += 1
    results.without += row.state is None
    results.waiting += row.state is ExampleState.PROPOSED
    results.approved += row.state is ExampleState.APPROVED
    results.rejected += row.state is ExampleState.REJECTED
    results.trained += bool(row.trained)
    results.fixed += bool(row.fixed)
    if row.state is ExampleState.REJECTED and row.decision_note:
        results.why[row.decision_note] += 1


def _flags(assistants: Sequence[str], *, since: datetime, agent: str | None) -> Any:
    trained = exists().where(
        DatasetExample.example_id == Example.id, Version.dataset_id == DatasetExample.dataset_id
    )
    fixed = exists().where(
        Fix.flag_id == Flag.id,
        Fix.fixed,
        Release.version == Fix.version,
        Release.action == ReleaseAction.PROMOTE,
    )
    query = (
        select(
            Flag.agent,
            Example.state,
            Example.decision_note,
            trained.label("trained"),
            fixed.label("fixed"),
        )
        .outerjoin(Example, Example.flag_id == Flag.id)
        .join(Turn, Flag.turn_id == Turn.id)
        .join(Conversation, Turn.conversation_id == Conversation.id)
        .where(Conversation.assistant.in_(assistants), flags.stands(), Flag.created_at >= since)
    )
    return query if agent is None else query.where(Flag.agent == agent)


def versions_trained(session: Session, agent: str, assistants: Sequence[str]) -> list[str]:
    """Versions whose datasets hold examples of an agent's flags, the newest first."""
    rows = session.execute(
        select(Version.id, Version.created_at)
        .join(DatasetExample, DatasetExample.dataset_id == Version.dataset_id)
        .join(Example, DatasetExample.example_id == Example.id)
        .where(
            Example.created_by == agent,
            Example.flag_id.is_not(None),
            Version.assistant.in_(assistants),
        )
        .distinct()
        .order_by(Version.created_at.desc(), Version.id)
    )
    return [row.id for row in rows]
