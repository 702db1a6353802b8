"""Deciding against a version, and the yeses that a promotion may need."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import consents, discarding, experiments, shadows, versions
from records.assistant import Assistant
from records.database import Database, lock_assistant
from records.errors import Conflict
from records.experiments import Side
from records.outbox import Kind
from records.states import Verdict, VersionState
from records.tables import Audit, OutboxMessage
from tests.conftest import install
from tests.records.at_once import at_once
from tests.records.build import reported, trained


def test_a_discarded_version_is_neither_promoted_nor_tried(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    with database.write() as session:
        discarding.discard(session, "support-a", actor="U0OLGA")
    with database.write() as session:
        for sure in (False, True):
            with pytest.raises(Conflict, match="was discarded"):
                versions.promote(session, "support-a", actor="ops", without_evidence=sure)
            with pytest.raises(Conflict, match="was discarded"):
                experiments.start(
                    session,
                    "support",
                    [Side("a", "support-a", 0.1)],
                    actor="ops",
                    without_evidence=sure,
                )
            with pytest.raises(Conflict, match="was discarded"):
                shadows.start(session, "support-a", 0.1, actor="ops", without_evidence=sure)
        assert versions.passed(session, "support", champion="support-base", most=9) == []
        assert versions.candidates(session, "support", most=9) == []
        assert discarding.discarded_by(session, "support-a") == "U0OLGA"


def test_a_discarded_version_can_be_taken_back(database: Database, assistant: Assistant) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=None)
    report = reported(database, "support-a", Verdict.PASS)
    with database.write() as session:
        discarding.discard(session, "support-a", actor="U0OLGA")
        with pytest.raises(Conflict, match="was discarded"):
            discarding.discard(session, "support-a", actor="U0ANN")
        assert not versions.may_promote(session, report)
        discarding.take_back(session, "support-a", actor="U0ANN")
        assert versions.get(session, "support-a").state is VersionState.EVALUATED
        assert versions.may_promote(session, report)
        assert discarding.discarded_by(session, "support-a") is None
        with pytest.raises(Conflict, match="not discarded"):
            discarding.take_back(session, "support-a", actor="U0ANN")
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.subject == report.id))
        assert [row.kind for row in told] == [Kind.REPORT_CHANGED] * 2
        done = select(Audit.action).where(Audit.subject == "support-a").order_by(Audit.id)
        assert session.scalars(done).all() == ["trained", "discard", "take_back"]


def test_what_serves_served_or_is_tried_is_not_discarded(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    trained(database, "support-b", champion="support-a")
    with database.write() as session:
        with pytest.raises(Conflict, match="has served"):
            discarding.discard(session, "support-base", actor="U0OLGA")
        versions.promote(session, "support-a", actor="ops")
        with pytest.raises(Conflict, match="has served"):
            discarding.discard(session, "support-base", actor="U0OLGA")
        assert discarding.may_discard(session, "support-b")
        shadows.start(session, "support-b", 0.1, actor="ops")
        assert not discarding.may_discard(session, "support-b")
        with pytest.raises(Conflict, match="being tried"):
            discarding.discard(session, "support-b", actor="U0OLGA")
        shadows.stop(session, "support", actor="ops")
        experiments.start(session, "support", [Side("b", "support-b", 0.1)], actor="ops")
        with pytest.raises(Conflict, match="being tried"):
            discarding.discard(session, "support-b", actor="U0OLGA")


def test_candidates_for_an_experiment_are_the_newest_that_did_not_fail(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    trained(database, "support-b", verdict=Verdict.FAIL)
    trained(database, "support-c", verdict=None)
    with database.read() as session:
        found = versions.candidates(session, "support", most=9)
        assert [version.id for version in found] == ["support-c", "support-a"]
        assert len(versions.candidates(session, "support", most=1)) == 1


def test_of_two_operators_at_once_the_second_sees_the_first_ones_yes(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")

    def agree(session: Session, actor: str) -> list[str]:
        lock_assistant(session, "support")
        version = versions.get(session, "support-a")
        return consents.agree_to_promote(session, version, actor=actor)

    both = at_once(database, lambda s: agree(s, "U0ANN"), lambda s: agree(s, "U0BEN"))
    assert both == ["U0ANN", "U0BEN"]


def test_a_promotion_of_another_version_changes_the_reports_on_what_was_tried(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=None)
    report = reported(database, "support-a", Verdict.PASS)
    trained(database, "support-b")
    with database.write() as session:
        experiments.start(session, "support", [Side("a", "support-a", 0.1)], actor="ops")
        versions.promote(session, "support-b", actor="ops")
        told = select(OutboxMessage.kind).where(OutboxMessage.subject == report.id)
        assert session.scalars(told).all().count(Kind.REPORT_CHANGED) >= 2


def test_a_yes_counts_once_per_person_and_until_the_champion_changes(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    trained(database, "support-b")
    with database.write() as session:
        version = versions.get(session, "support-a")
        assert consents.agree_to_promote(session, version, actor="U0ANN") == ["U0ANN"]
        with pytest.raises(Conflict, match="already"):
            consents.agree_to_promote(session, version, actor="U0ANN")
        assert consents.agree_to_promote(session, version, actor="U0BEN") == ["U0ANN", "U0BEN"]
        assert consents.to_promote(session, versions.get(session, "support-b")) == []
        versions.promote(session, "support-b", actor="ops")
        assert consents.to_promote(session, version) == []
        versions.rollback(session, "support", actor="ops")
        assert consents.to_promote(session, version) == []  # the champion is the same one again
