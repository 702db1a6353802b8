"""What versions say to flagged answers, who is told, how long a fix takes, what flags led to."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from records import examples, fixes, flag_results, flags, outbox, versions
from records.assistant import Assistant
from records.database import Database
from records.errors import NotFound
from records.flags import Judgement
from records.ids import utc_now
from records.outbox import Kind
from records.tables import (
    Dataset,
    DatasetExample,
    Example,
    Flag,
    OutboxMessage,
    Version,
)
from tests.conftest import install
from tests.records.build import trained
from tests.records.talks import a_conversation


@pytest.fixture(autouse=True)
def _installed(database: Database, assistant: Assistant) -> None:
    install(database, assistant)


def flagged(database: Database, *, agent: str = "U1", correction: str = "Right.") -> Flag:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        judgement = Judgement(correction=correction)
        return flags.add(session, turn_id, agent=agent, judgement=judgement)


def fixed(database: Database, flag: Flag, version: str, *, is_right: bool = True) -> None:
    with database.write() as session:
        fixes.record(
            session,
            flag.id,
            version=version,
            answer="Right." if is_right else "Wrong.",
            handed_over=False,
            fixed=is_right,
        )


def promote(database: Database, version: str) -> None:
    with database.write() as session:
        versions.promote(session, version, actor="U0OPS", without_evidence=True)


def receipts(database: Database) -> dict[str, str]:
    with database.read() as session:
        kind = OutboxMessage.kind == Kind.FLAG_FIXED
        rows = session.scalars(select(OutboxMessage).where(kind).order_by(OutboxMessage.id))
        return {row.subject: row.payload["version"] for row in rows}


def test_a_promotion_tells_of_the_flags_that_it_fixes_and_of_no_other(database: Database) -> None:
    version = trained(database, "support-aaa")
    right, wrong = flagged(database), flagged(database)
    fixed(database, right, version)
    fixed(database, wrong, version, is_right=False)
    assert receipts(database) == {}
    promote(database, version)
    assert receipts(database) == {right.id: version}


def test_a_flag_is_put_with_each_release_until_it_is_told_of(database: Database) -> None:
    first, second = trained(database, "support-aaa"), trained(database, "support-bbb")
    flag = flagged(database)
    for version in (first, second):
        fixed(database, flag, version)
        promote(database, version)
        assert receipts(database) == {flag.id: version}
    with database.write() as session:
        versions.rollback(session, "support", actor="U0OPS")
        (row, *_) = session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == Kind.FLAG_FIXED)
        )
        outbox.mark_sent(session, row.id, channel="C1", ts="1.1")
    before = number_of_receipts(database)
    promote(database, second)
    assert number_of_receipts(database) == before == 2


def number_of_receipts(database: Database) -> int:
    with database.read() as session:
        kind = OutboxMessage.kind == Kind.FLAG_FIXED
        return len(session.scalars(select(OutboxMessage.id).where(kind)).all())


def test_only_a_last_word_that_stands_is_told_of(database: Database) -> None:
    version = trained(database, "support-aaa")
    revised, withdrawn = flagged(database), flagged(database)
    for flag in (revised, withdrawn):
        fixed(database, flag, version)
    with database.write() as session:
        again = Judgement(correction="Righter.")
        flags.add(session, revised.turn_id, agent="U1", judgement=again)
        flags.withdraw(session, withdrawn.turn_id, agent="U1")
    promote(database, version)
    assert receipts(database) == {}


def test_recording_again_replaces_what_was_recorded(database: Database) -> None:
    version, flag = trained(database, "support-aaa"), flagged(database)
    fixed(database, flag, version)
    fixed(database, flag, version, is_right=False)
    with database.read() as session:
        assert [(f.answer, f.fixed) for f in fixes.of_version(session, version)] == [
            ("Wrong.", False)
        ]
        with pytest.raises(NotFound, match="was not asked"):
            fixes.get(session, flag.id, version="support-bbb")


def test_candidates_are_approved_examples_of_flags_that_stand(database: Database) -> None:
    approved, withdrawn = flagged(database, correction="A"), flagged(database, correction="B")
    flagged(database, correction="nobody approved this")
    with database.write() as session:
        for flag in (approved, withdrawn):
            example = session.scalars(select(Example).where(Example.flag_id == flag.id)).one()
            examples.decide(session, example.id, approve=True, actor="U2")
        flags.withdraw(session, withdrawn.turn_id, agent="U1")
        found = fixes.candidates(session, "support", most=10)
        assert [example.chosen for example in found] == ["A"]


def test_the_time_to_a_fix_runs_from_the_first_flag_to_the_first_release(
    database: Database,
) -> None:
    with database.read() as session:
        assert fixes.median_seconds_to_fix(session, "support") is None
    first, second = trained(database, "support-aaa"), trained(database, "support-bbb")
    for hours in (1, 2, 30):
        flag = flagged(database)
        with database.write() as session:
            at = utc_now() - timedelta(hours=hours)
            session.execute(update(Flag).where(Flag.id == flag.id).values(created_at=at))
            again = Judgement(correction="Righter.")
            revised = flags.add(session, flag.turn_id, agent="U1", judgement=again)
        fixed(database, revised, first)
        fixed(database, revised, second)
    promote(database, first)
    promote(database, second)
    with database.read() as session:
        seconds = fixes.median_seconds_to_fix(session, "support")
        assert fixes.median_seconds_to_fix(session, "other") is None
    assert seconds == pytest.approx(2 * 3600, abs=60)


def test_what_each_agents_flags_led_to(database: Database) -> None:
    version = trained(database, "support-aaa")
    waiting, good, bad = (flagged(database, correction=c) for c in "ABC")
    flagged(database, agent="U2")
    withdrawn = flagged(database)
    with database.write() as session:
        flags.withdraw(session, withdrawn.turn_id, agent="U1")
        session.add(Dataset(id="ds-1", assistant="support", content_hash="h", path="p", card={}))
        session.flush()
        session.get_one(Version, version).dataset_id = "ds-1"
        ids = {e.flag_id: e.id for e in session.scalars(select(Example))}
        examples.decide(session, ids[good.id], approve=True, actor="U9")
        examples.decide(session, ids[bad.id], approve=False, actor="U9", note="duplicate")
        session.add(DatasetExample(dataset_id="ds-1", example_id=ids[good.id], split="train"))
    fixed(database, good, version)
    fixed(database, waiting, version, is_right=False)
    since = utc_now() - timedelta(days=1)
    with database.read() as session:
        before = flag_results.by_agent(session, ["support"], since=since)["U1"]
    promote(database, version)
    with database.read() as session:
        found = flag_results.by_agent(session, ["support"], since=since)
        assert flag_results.versions_trained(session, "U1", ["support"]) == [version]
        assert flag_results.by_agent(session, ["other"], since=since) == {}
        assert list(flag_results.by_agent(session, ["support"], since=since, agent="U2")) == ["U2"]
    mine = found["U1"]
    assert list(found) == ["U1", "U2"]
    assert (mine.flagged, mine.waiting, mine.approved, mine.rejected) == (3, 1, 1, 1)
    assert (mine.trained, before.fixed, mine.fixed) == (1, 0, 1)
    assert mine.why == {"duplicate": 1}
