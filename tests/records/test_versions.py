"""The release pointer and experiments."""

import pytest
from sqlalchemy import select

from records import versions
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.states import Verdict, VersionState
from records.tables import OutboxMessage, Report, Version
from records.versions import Side
from tests.conftest import install


def trained(
    database: Database,
    name: str,
    *,
    verdict: Verdict | None = Verdict.PASS,
    champion: str = "support-base",
) -> str:
    with database.write() as session:
        versions.register(
            session,
            Version(
                id=name,
                assistant="support",
                base_model="some/base",
                base_hash="0" * 64,
                adapter_path=f"adapters/{name}",
                state=VersionState.TRAINED,
            ),
        )
        if verdict:
            session.add(
                Report(
                    assistant="support",
                    champion=champion,
                    challenger=name,
                    cases_hash="c",
                    verdict=verdict,
                    body={},
                    path="reports/x",
                )
            )
    return name


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
        with pytest.raises(Conflict, match="not compared with the champion, support-a"):
            versions.promote(session, "support-b", actor="ops")
