"""Experiments: who may take part, ramps, and whom arms have answered."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import experiments, versions
from records.assistant import Assistant
from records.conversations import Arrival, add_turn, receive
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.experiments import Side, Tally
from records.messages import Role
from records.states import Verdict
from records.tables import Arm, Audit, Turn
from tests.conftest import install
from tests.records.at_once import at_once
from tests.records.build import trained


def test_one_experiment_runs_at_a_time_and_a_release_ends_it(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    sides = [Side("challenger", "support-a", 0.1)]
    with database.write() as session:
        experiments.start(session, "support", sides, actor="ops")
    with database.write() as session, pytest.raises(Conflict, match="runs already"):
        experiments.start(session, "support", sides, actor="ops")
    with database.write() as session:
        running = experiments.running(session, "support")
        assert running is not None
        assert [arm.version for arm in running.arms] == ["support-a"]
        versions.promote(session, "support-a", actor="ops")
    with database.read() as session:
        assert experiments.running(session, "support") is None


@pytest.mark.parametrize(
    "shares", [[], [0.0], [0.6, 0.6], [-0.1]], ids=["none", "zero", "above one", "negative"]
)
def test_impossible_shares_are_refused(
    database: Database, assistant: Assistant, shares: list[float]
) -> None:
    install(database, assistant)
    sides = [Side(f"arm-{i}", "support-base", share) for i, share in enumerate(shares)]
    with database.write() as session, pytest.raises(InvalidInput):
        experiments.start(session, "support", sides, actor="ops")


def test_an_experiment_is_refused_to_versions_of_another_assistant(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "sales-a", verdict=None, assistant="sales")
    with database.write() as session, pytest.raises(InvalidInput, match="assistant 'sales'"):
        experiments.start(
            session, "support", [Side("a", "sales-a", 0.1)], actor="ops", without_evidence=True
        )


@pytest.mark.parametrize("verdict", [None, Verdict.PASS, Verdict.INCONCLUSIVE])
def test_an_experiment_may_settle_what_the_gate_left_open(
    database: Database, assistant: Assistant, verdict: Verdict | None
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=verdict)
    with database.write() as session:
        experiments.start(session, "support", [Side("a", "support-a", 0.1)], actor="ops")


def test_a_version_that_failed_gets_customers_only_on_purpose(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=Verdict.FAIL)
    sides = [Side("a", "support-a", 0.1)]
    with database.write() as session:
        with pytest.raises(Conflict, match="gate said FAIL of support-a"):
            experiments.start(session, "support", sides, actor="ops")
        experiments.start(session, "support", sides, actor="ops", without_evidence=True)


def test_of_two_experiments_at_once_one_is_refused_in_words(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")

    def start(session: Session) -> None:
        experiments.start(session, "support", [Side("a", "support-a", 0.1)], actor="ops")

    with pytest.raises(Conflict, match="runs already"):
        at_once(database, start, start)


def test_an_experiment_is_not_left_running_by_a_promotion_at_once(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    at_once(
        database,
        lambda session: experiments.start(
            session, "support", [Side("a", "support-a", 0.1)], actor="ops"
        ),
        lambda session: versions.promote(session, "support-a", actor="ops"),
    )
    with database.read() as session:
        assert experiments.running(session, "support") is None


# --- ramps ---


def started(database: Database, assistant: Assistant, **shares: float) -> str:
    install(database, assistant)
    sides = [Side(name, trained(database, f"support-{name}"), s) for name, s in shares.items()]
    with database.write() as session:
        return experiments.start(session, "support", sides, actor="ops").id


def spans(database: Database) -> dict[str, list[list[int]]]:
    with database.read() as session:
        return {arm.name: arm.spans for arm in session.scalars(select(Arm))}


def test_a_ramp_is_kept_and_audited(database: Database, assistant: Assistant) -> None:
    experiment = started(database, assistant, a=0.01, b=0.2)
    before = spans(database)
    with database.write() as session:
        experiments.set_shares(session, "support", {"a": 0.5}, actor="ann")
    with database.read() as session:
        running = experiments.running(session, "support")
        assert running is not None
        assert {arm.name: arm.share for arm in running.arms} == {"a": 0.5, "b": 0.2}
        noted = session.scalars(select(Audit).where(Audit.action == "ramp_experiment")).one()
    assert (noted.actor, noted.subject) == ("ann", experiment)
    assert noted.detail == {"before": {"a": 0.01, "b": 0.2}, "after": {"a": 0.5, "b": 0.2}}
    assert spans(database)["b"] == before["b"]
    assert spans(database)["a"][0] == before["a"][0]


@pytest.mark.parametrize(
    "shares",
    [{"a": 0.9}, {"a": -0.1}, {"a": 1.1}, {"a": float("nan")}, {"nobody": 0.1}],
    ids=["above one together", "negative", "above one", "not a number", "no such arm"],
)
def test_an_impossible_ramp_changes_nothing(
    database: Database, assistant: Assistant, shares: dict[str, float]
) -> None:
    started(database, assistant, a=0.1, b=0.2)
    before = spans(database)
    with database.write() as session, pytest.raises((InvalidInput, NotFound)):
        experiments.set_shares(session, "support", shares, actor="ops")
    assert spans(database) == before


def test_shares_may_change_places_in_one_ramp(database: Database, assistant: Assistant) -> None:
    started(database, assistant, a=0.9, b=0.1)
    with database.write() as session:
        experiments.set_shares(session, "support", {"a": 0.1, "b": 0.9}, actor="ops")
    assert spans(database) == {"a": [[0, 100_000]], "b": [[900_000, 1_000_000], [100_000, 900_000]]}


def test_an_arm_may_be_ramped_down_to_nothing(database: Database, assistant: Assistant) -> None:
    started(database, assistant, a=0.1)
    with database.write() as session:
        experiments.set_shares(session, "support", {"a": 0}, actor="ops")
    assert spans(database) == {"a": []}


def test_without_an_experiment_there_is_nothing_to_ramp_stop_or_show(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    with database.write() as session:
        with pytest.raises(Conflict, match="No experiment"):
            experiments.set_shares(session, "support", {"a": 0.1}, actor="ops")
        with pytest.raises(Conflict, match="No experiment"):
            experiments.stop(session, "support", actor="ops")
        with pytest.raises(NotFound, match="No experiment"):
            experiments.newest(session, "support")


def test_two_ramps_at_once_follow_each_other(database: Database, assistant: Assistant) -> None:
    started(database, assistant, a=0.1, b=0.1)
    with pytest.raises(InvalidInput, match="at most 1 together"):
        at_once(
            database,
            lambda session: experiments.set_shares(session, "support", {"a": 0.6}, actor="ops"),
            lambda session: experiments.set_shares(session, "support", {"b": 0.6}, actor="ops"),
        )


def test_an_arms_customers_and_conversations_are_counted(
    database: Database, assistant: Assistant
) -> None:
    experiment = started(database, assistant, a=0.5, b=0.5)
    asked = [("conv_1", "ann", "a"), ("conv_2", "ann", "a"), ("conv_3", None, "a")]
    with database.write() as session:
        for conversation, customer, arm in asked:
            receive(session, Arrival("support", conversation, "hello", customer=customer))
            for _ in range(2):
                answer = Turn(
                    conversation_id=conversation, role=Role.ASSISTANT, content="hi",
                    version=f"support-{arm}", experiment=experiment, arm=arm,
                )  # fmt: skip
                add_turn(session, answer)
    with database.read() as session:
        found = experiments.tally(session, experiments.newest(session, "support"))
    assert found == [Tally("a", customers=2, conversations=3), Tally("b", 0, 0)]
