"""What a retraining would be made of: counts of examples, by SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from records import examples, jobs
from records.states import ExampleSource, ExampleState, JobState
from records.tables import Audit, Dataset, DatasetExample, Example, Version
from records.versions import pointer

FEW = 1000
"""Fewer examples than this teach what was corrected, and little that carries over."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """How many examples there are, and what would become of them."""

    used: Mapping[ExampleSource, int]
    """Approved ones that may be used, by source; answers that customers declined are no part.

    Only training by thumbs can use those (`TrainingMethod.KTO`).
    """
    left_out: int
    """Approved ones from before the time that was asked for."""
    new: int
    """Corrections approved since the champion's dataset was made; all where it has none."""
    waiting: int
    rejected: int

    @property
    def total(self) -> int:
        """All that may be used."""
        return sum(self.used.values())

    @property
    def corrections(self) -> int:
        """Those that may be used and are the team's word, not a customer's."""
        return sum(n for source, n in self.used.items() if not source.is_customers_word)


@dataclass(frozen=True, slots=True)
class News:
    """Corrections that were approved since a time: how many, and when the first one was."""

    count: int
    first_at: datetime | None


def count(session: Session, assistant: str, *, since: datetime | None = None) -> TrainingData:
    """What a retraining would be made of, with corrections approved from `since` on.

    Answers that customers accepted are for replay, so they may be used whatever their age.
    """
    by_state = session.execute(
        select(Example.state, func.count())
        .where(Example.assistant == assistant, Example.source != ExampleSource.DECLINED)
        .group_by(Example.state)
    ).tuples()
    states = dict(by_state.all())
    used = _approved_by_source(session, assistant, since=since)
    return TrainingData(
        used=used,
        left_out=states.get(ExampleState.APPROVED, 0) - sum(used.values()),
        new=approved_since(session, assistant, _champions_data_at(session, assistant)).count,
        waiting=states.get(ExampleState.PROPOSED, 0),
        rejected=states.get(ExampleState.REJECTED, 0),
    )


def approved_since(session: Session, assistant: str, since: datetime | None) -> News:
    """Corrections that were approved after a time; all where it is None."""
    query = select(func.count(), func.min(Example.decided_at)).where(
        *_is_approved(assistant), _is_the_teams_word()
    )
    if since is not None:
        query = query.where(Example.decided_at > since)
    counted, first = session.execute(query).one()
    return News(counted, first)


def approved_after(session: Session, assistant: str, request: jobs.Request | None) -> News:
    """Corrections that were approved after a job was asked for; all where there was none.

    By the order of the audit log, for people approve on other hosts than the worker's. What the
    job took in though it was approved later is no news.
    """
    if request is None:
        return approved_since(session, assistant, None)
    approved = exists().where(
        Audit.subject == Example.id,
        Audit.action == examples.APPROVED,
        Audit.id > request.noted_as,
    )
    taken_in = exists().where(
        DatasetExample.example_id == Example.id,
        DatasetExample.dataset_id == request.job.dataset_id,
    )
    counted, first = session.execute(
        select(func.count(), func.min(Example.decided_at)).where(
            *_is_approved(assistant),
            _is_the_teams_word(),
            approved,
            ~taken_in,
        )
    ).one()
    return News(counted, first)


def last_trained_at(session: Session, assistant: str) -> datetime | None:
    """When the examples of the last training that ended well were collected."""
    job = jobs.newest(session, assistant, state=JobState.SUCCEEDED)
    return (job.started_at or job.created_at) if job is not None else None


def _approved_by_source(
    session: Session, assistant: str, *, since: datetime | None
) -> dict[ExampleSource, int]:
    query = select(Example.source, func.count()).where(
        *_is_approved(assistant), Example.source != ExampleSource.DECLINED
    )
    if since is not None:
        query = query.where(
            or_(Example.decided_at >= since, Example.source == ExampleSource.ACCEPTED)
        )
    return dict(session.execute(query.group_by(Example.source)).tuples().all())


def _is_approved(assistant: str) -> tuple[ColumnElement[bool], ...]:
    return Example.assistant == assistant, Example.state == ExampleState.APPROVED


def _is_the_teams_word() -> ColumnElement[bool]:
    return Example.source.not_in(examples.CUSTOMERS_WORDS)


def _champions_data_at(session: Session, assistant: str) -> datetime | None:
    """When the champion's dataset was made."""
    release = pointer(session, assistant)
    if release is None:
        return None
    return session.scalar(
        select(Dataset.created_at)
        .join(Version, Version.dataset_id == Dataset.id)
        .where(Version.id == release.version)
    )
