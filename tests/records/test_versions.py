"""The release pointer and experiments."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import versions
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.states import Verdict, VersionState
from records.tables import OutboxMessage, Release, Report, Version
from records.versions import Side
from tests.conftest import install
from tests.records.at_once import at_once


def trained(
    database: Database,
    name: str,
    *,
    verdict: Verdict | None = Verdict.PASS,
    champion: str = "support-base",
    frozen: bool = True,
    assistant: str = "support",
) -> str:
    with database.write() as session:
        versions.register(
            session,
            Version(
                id=name,
                assistant=assistant,
                base_model="some/base",
                base_hash="0" * 64,
                adapter_path=f"adapters/{name}",
                state=VersionState.TRAINED,
            ),
        )
    if verdict:
        reported(database, name, verdict, champion=champion, frozen=frozen)
    return name


def reported(
    database: Database,
    name: str,
    verdict: Verdict,
    *,
    champion: str = "support-base",
    frozen: bool = True,
) -> Report:
    with database.write() as session:
        report = Report(
            assistant="support",
            champion=champion,
            challenger=name,
            cases_hash="c",
            frozen=frozen,
            verdict=verdict,
            body={},
            path="reports/x",
        )
        session.add(report)
        session.flush()
        versions.note_evidence(session, report)
    return report


def champion(database: Database) -> str:
    with database.read() as session:
        return versions.champion(session, "support").id


def test_the_base_is_the_first_champion(database: Database, assistant: Assistant) -> None:
    with database.read() as session, pytest.raises(NotFound):
        versions.champion(session, "support")
    install(database, assistant)
    install(database, assistant)
    assert champion(database) == "support-base"
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []


def test_going_back_walks_the_promotions_in_reverse(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    for name, before in (("support-a", "support-base"), ("support-b", "support-a")):
        trained(database, name, champion=before)
        with database.write() as session:
            versions.promote(session, name, actor="ops")
    seen = []
    for _ in range(2):
        with database.write() as session:
            versions.rollback(session, "support", actor="ops")
        seen.append(champion(database))
    assert seen == ["support-a", "support-base"]
    with database.write() as session, pytest.raises(Conflict, match="Nothing to roll back"):
        versions.rollback(session, "support", actor="ops")


def test_a_version_can_be_promoted_again_after_a_rollback(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    with database.write() as session:
        versions.promote(session, "support-a", actor="ops")
        versions.rollback(session, "support", actor="ops")
        versions.promote(session, "support-a", actor="ops")
        with pytest.raises(Conflict, match="champion already"):
            versions.promote(session, "support-a", actor="ops")
    with database.read() as session:
        states = {v.id: v.state for v in versions.listed(session)}
    assert states == {
        "support-base": VersionState.RETIRED,
        "support-a": VersionState.CHAMPION,
    }


@pytest.mark.parametrize("verdict", [None, Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_without_a_pass_a_version_is_promoted_only_on_purpose(
    database: Database, assistant: Assistant, verdict: Verdict | None
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=verdict)
    with database.write() as session:
        with pytest.raises(Conflict, match="not promoted"):
            versions.promote(session, "support-a", actor="ops")
        versions.promote(session, "support-a", actor="ops", without_evidence=True)
    assert champion(database) == "support-a"


def test_one_experiment_runs_at_a_time_and_a_release_ends_it(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    sides = [Side("challenger", "support-a", 0.1)]
    with database.write() as session:
        versions.start_experiment(session, "support", sides, actor="ops")
    with database.write() as session, pytest.raises(Conflict, match="runs already"):
        versions.start_experiment(session, "support", sides, actor="ops")
    with database.write() as session:
        running = versions.running_experiment(session, "support")
        assert running is not None
        assert [arm.version for arm in running.arms] == ["support-a"]
        versions.promote(session, "support-a", actor="ops")
    with database.read() as session:
        assert versions.running_experiment(session, "support") is None


@pytest.mark.parametrize(
    "shares", [[], [0.0], [0.6, 0.6], [-0.1]], ids=["none", "zero", "above one", "negative"]
)
def test_impossible_shares_are_refused(
    database: Database, assistant: Assistant, shares: list[float]
) -> None:
    install(database, assistant)
    sides = [Side(f"arm-{i}", "support-base", share) for i, share in enumerate(shares)]
    with database.write() as session, pytest.raises(InvalidInput):
        versions.start_experiment(session, "support", sides, actor="ops")


def test_a_pass_against_an_earlier_champion_is_no_evidence(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    trained(database, "support-b", champion="support-base")
    with database.write() as session:
        versions.promote(session, "support-a", actor="ops")
        with pytest.raises(
            Conflict, match=r"the champion, support-a \(against an earlier one, the gate said PASS"
        ):
            versions.promote(session, "support-b", actor="ops")


def test_a_pass_on_other_cases_is_no_evidence(database: Database, assistant: Assistant) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=Verdict.FAIL)
    easy = reported(database, "support-a", Verdict.PASS, frozen=False)
    with database.write() as session:
        assert not versions.may_promote(session, easy)
        assert versions.verdict_of(session, "support-a") is Verdict.FAIL
        with pytest.raises(Conflict, match="assistant's own cases"):
            versions.promote(session, "support-a", actor="ops")


def test_what_a_report_may_promote_is_what_promote_takes(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=None)
    earlier = reported(database, "support-a", Verdict.PASS)
    with database.read() as session:
        assert versions.may_promote(session, earlier)
    later = reported(database, "support-a", Verdict.FAIL)
    with database.write() as session:
        told = session.scalars(select(OutboxMessage.key)).all()
        assert [key.split(":")[:2] for key in told] == [["report_changed", earlier.id]]
        assert not versions.may_promote(session, earlier)
        assert not versions.may_promote(session, later)
        with pytest.raises(Conflict, match="the gate said FAIL"):
            versions.promote(session, "support-a", actor="ops")
    settled = reported(database, "support-a", Verdict.PASS)
    with database.write() as session:
        assert versions.may_promote(session, settled)
        versions.promote(session, "support-a", actor="ops")
        assert not versions.may_promote(session, settled)


def test_an_experiment_is_refused_to_versions_of_another_assistant(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "sales-a", verdict=None, assistant="sales")
    with database.write() as session, pytest.raises(InvalidInput, match="assistant 'sales'"):
        versions.start_experiment(
            session, "support", [Side("a", "sales-a", 0.1)], actor="ops", without_evidence=True
        )


@pytest.mark.parametrize("verdict", [None, Verdict.PASS, Verdict.INCONCLUSIVE])
def test_an_experiment_may_settle_what_the_gate_left_open(
    database: Database, assistant: Assistant, verdict: Verdict | None
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=verdict)
    with database.write() as session:
        versions.start_experiment(session, "support", [Side("a", "support-a", 0.1)], actor="ops")


def test_a_version_that_failed_gets_customers_only_on_purpose(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a", verdict=Verdict.FAIL)
    sides = [Side("a", "support-a", 0.1)]
    with database.write() as session:
        with pytest.raises(Conflict, match="gate said FAIL of support-a"):
            versions.start_experiment(session, "support", sides, actor="ops")
        versions.start_experiment(session, "support", sides, actor="ops", without_evidence=True)


# --- at once ---


def assert_consistent(database: Database) -> list[str]:
    """Each release replaces the one before it, and the last is champion; returns their versions."""
    with database.read() as session:
        releases = list(session.scalars(select(Release).order_by(Release.id)))
        champions = select(Version.id).where(Version.state == VersionState.CHAMPION)
        assert list(session.scalars(champions)) == [releases[-1].version]
    names = [release.version for release in releases]
    assert [release.replaces for release in releases] == [None, *names[:-1]]
    return names


def test_two_gateways_that_start_at_once_install_one_base(
    database: Database, assistant: Assistant
) -> None:
    def start(session: Session) -> bool:
        base = Version(
            id="support-base",
            assistant="support",
            base_model="some/base",
            base_hash="0" * 64,
            state=VersionState.TRAINED,
        )
        return versions.install_base(session, base)

    assert not at_once(database, start, start)
    assert assert_consistent(database) == ["support-base"]


def test_of_two_promotions_at_once_one_has_no_evidence_any_more(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    trained(database, "support-b")
    with pytest.raises(Conflict, match="not compared with the champion, support-a"):
        at_once(
            database,
            lambda session: versions.promote(session, "support-a", actor="ops"),
            lambda session: versions.promote(session, "support-b", actor="ops"),
        )
    assert assert_consistent(database) == ["support-base", "support-a"]


def test_a_promotion_sees_what_changed_while_it_waited(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")

    def away(session: Session) -> None:
        versions.promote(session, "support-a", actor="ops")

    def back(session: Session) -> None:
        assert versions.champion(session, "support").id == "support-base" or database.is_sqlite
        versions.promote(session, "support-base", actor="ops")

    at_once(database, away, back)
    assert assert_consistent(database) == ["support-base", "support-a", "support-base"]


def test_two_rollbacks_at_once_follow_each_other(database: Database, assistant: Assistant) -> None:
    install(database, assistant)
    for name in ("support-a", "support-b"):
        trained(database, name, verdict=None)
        with database.write() as session:
            versions.promote(session, name, actor="ops", without_evidence=True)

    def back(session: Session) -> Release:
        return versions.rollback(session, "support", actor="ops")

    at_once(database, back, back)
    assert assert_consistent(database)[-3:] == ["support-b", "support-a", "support-base"]


def test_of_two_experiments_at_once_one_is_refused_in_words(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")

    def start(session: Session) -> None:
        versions.start_experiment(session, "support", [Side("a", "support-a", 0.1)], actor="ops")

    with pytest.raises(Conflict, match="runs already"):
        at_once(database, start, start)


def test_an_experiment_is_not_left_running_by_a_promotion_at_once(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-a")
    at_once(
        database,
        lambda session: versions.start_experiment(
            session, "support", [Side("a", "support-a", 0.1)], actor="ops"
        ),
        lambda session: versions.promote(session, "support-a", actor="ops"),
    )
    with database.read() as session:
        assert versions.running_experiment(session, "support") is None
