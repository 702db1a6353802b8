"""The mark moves with every change of traffic, and only then is the history read."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from records import experiments, shadows, versions
from records.assistant import Assistant
from records.database import Database
from records.experiments import Side
from serving.lanes import Mark, lanes_of, read_adapters, read_mark, read_standing
from serving.routing import Arm, Experiment, Lane, Shadow
from tests.conftest import install
from tests.records.build import trained

CHANGES: list[Callable[[Session], object]] = [
    lambda session: versions.promote(session, "support-a", actor="ops"),
    lambda session: versions.rollback(session, "support", actor="ops"),
    lambda session: experiments.start(
        session, "support", [Side("x", "support-a", 0.1), Side("y", "support-b", 0.2)], actor="ops"
    ),
    lambda session: experiments.set_shares(session, "support", {"x": 0.5}, actor="ops"),
    lambda session: experiments.stop(session, "support", actor="ops"),
    lambda session: shadows.start(session, "support-b", 0.5, actor="ops"),
    lambda session: shadows.stop(session, "support", actor="ops"),
]


@pytest.fixture
def records(database: Database, assistant: Assistant) -> Database:
    install(database, assistant)
    for name in ("support-a", "support-b"):
        trained(database, name)
    return database


def mark_of(records: Database) -> Mark:
    with records.read() as session:
        return read_mark(session, ("support", "sales"))


def test_every_change_moves_the_mark_and_nothing_else_does(records: Database) -> None:
    last = mark_of(records)
    for change in CHANGES:
        with records.write() as session:
            change(session)
        found = mark_of(records)
        assert found != last
        assert mark_of(records) == found
        last = found


def test_ramps_to_the_same_shares_with_other_customers_are_seen(records: Database) -> None:
    with records.write() as session:
        CHANGES[2](session)
    before = mark_of(records)
    with records.write() as session:
        for shares in ({"x": 0.05}, {"y": 0.25}, {"x": 0.1}, {"y": 0.2}):
            experiments.set_shares(session, "support", shares, actor="ops")
        running = experiments.running(session, "support")
        assert running is not None
        assert [arm.share for arm in running.arms] == [0.1, 0.2]
    assert mark_of(records) != before


def test_lanes_hold_history_experiment_and_shadow(records: Database) -> None:
    with records.write() as session:
        versions.promote(session, "support-a", actor="ops")
        exp = experiments.start(session, "support", [Side("x", "support-b", 0.1)], actor="ops").id
        shd = shadows.start(session, "support-b", 0.5, actor="ops").id
    with records.read() as session:
        mark = read_mark(session, ("support", "sales"))
        assert list(mark.releases) == ["support"]
        standing = {name: read_standing(session, name) for name in mark.releases}
    assert lanes_of(mark, standing) == {
        "support": Lane(
            ("support-a", "support-base"),
            Experiment(exp, (Arm("x", "support-b", ((0, 100_000),)),)),
            Shadow(shd, "support-b", 0.5),
        )
    }


def test_adapters_are_those_of_the_assistant_and_standby_is_what_passed(records: Database) -> None:
    trained(records, "sales-a", verdict=None, assistant="sales")
    trained(records, "support-c", verdict=None)
    with records.read() as session:
        found = read_adapters(session, "support", champion="support-base")
    assert found.paths == {f"support-{n}": f"adapters/support-{n}" for n in "abc"}
    assert found.standby == ("support-b", "support-a")
