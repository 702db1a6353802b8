"""Versions and the release pointer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from records import versions
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict, NotFound
from records.states import ReleaseAction, Verdict, VersionState
from records.tables import OutboxMessage, Release, Version
from records.versions import Step
from tests.conftest import install
from tests.records.at_once import at_once
from tests.records.build import champion, reported, trained

INSTALL, PROMOTE, ROLLBACK = ReleaseAction.INSTALL, ReleaseAction.PROMOTE, ReleaseAction.ROLLBACK


def test_the_base_is_the_first_champion(database: Database, assistant: Assistant) -> None:
    with database.read() as session, pytest.raises(NotFound):
        versions.champion(session, "support")
    install(database, assistant)
    install(database, assistant)
    assert champion(database) == "support-base"
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []


def test_versions_are_numbered_by_age_within_their_assistant(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    trained(database, "support-b", verdict=None)
    trained(database, "writer-a", verdict=None, assistant="writer")
    with database.read() as session:
        before = versions.numbers(session, "support")
    assert before == {"support-base": 1, "support-b": 2}
    trained(database, "support-a", verdict=None)
    with database.read() as session:
        assert versions.numbers(session, "support") == {**before, "support-a": 3}
        both = versions.numbers(session, "support", "writer")
    assert both == {**before, "support-a": 3, "writer-a": 1}


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


def test_a_version_that_was_promoted_twice_is_left_for_good_by_one_roll_back(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    for name in ("support-a", "support-b"):
        trained(database, name, verdict=None)
    with database.write() as session:
        for name in ("support-a", "support-b", "support-a"):
            versions.promote(session, name, actor="ops", without_evidence=True)
    seen = []
    for _ in range(2):
        with database.write() as session:
            versions.rollback(session, "support", actor="ops")
        seen.append(champion(database))
    assert seen == ["support-b", "support-base"]


def test_the_release_pointer_comes_first_and_what_was_rolled_back_is_out() -> None:
    history = [("base", None, INSTALL), ("a", "base", PROMOTE), ("b", "a", PROMOTE)]
    assert versions.standing(history) == ("b", "a", "base")
    rolled = [*history, ("a", "b", ROLLBACK)]
    assert versions.standing(rolled) == ("a", "base")
    assert versions.standing([*rolled, ("b", "a", PROMOTE)]) == ("b", "a", "base")
    assert versions.standing([*rolled, ("base", "a", ROLLBACK)]) == ("base",)
    assert versions.standing([]) == ()


@given(st.lists(st.sampled_from(["promote a", "promote b", "promote c", "back"])))
def test_a_roll_back_never_returns_to_what_was_rolled_back(steps: list[str]) -> None:
    history: list[Step] = [("base", None, INSTALL)]
    gone: set[str] = set()
    for step in steps:
        stack = versions.standing(history)
        if step == "back" and len(stack) > 1:
            history.append((stack[1], stack[0], ROLLBACK))
            gone.add(stack[0])
        elif step != "back" and stack[0] != step[-1]:
            history.append((step[-1], stack[0], PROMOTE))
            gone.discard(step[-1])
        stack = versions.standing(history)
        assert stack[0] == history[-1][0]
        assert stack[-1] == "base"
        assert len(stack) == len(set(stack))
        assert not gone & set(stack)


def test_what_passed_against_the_champion_is_found_the_newest_first(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    for name in ("support-a", "support-b", "support-c"):
        trained(database, name)
    trained(database, "support-d", champion="support-a")
    trained(database, "support-e", frozen=False)
    reported(database, "support-b", Verdict.FAIL)
    with database.read() as session:
        found = versions.passed(session, "support", champion="support-base", most=9)
        assert found == ["support-c", "support-a"]
        assert versions.passed(session, "support", champion="support-base", most=1) == found[:1]


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
