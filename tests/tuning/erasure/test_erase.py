"""After a customer is erased no stored byte of theirs remains; others' words and figures stay."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from records import conversations, examples, flags, outcomes, reached, replay
from records.database import Database
from records.errors import Conflict, InvalidInput, NotFound
from records.ids import utc_now
from records.messages import Role
from records.outbox import Kind
from records.outcomes import Rating
from records.states import (
    ConversationState,
    EscalationState,
    EventKind,
    ExampleState,
    JobState,
    OutboxState,
)
from records.tables import (
    Audit,
    Conversation,
    ConversationEvent,
    Dataset,
    DatasetExample,
    Erasure,
    Escalation,
    Example,
    Flag,
    Job,
    OutboxMessage,
    Outcome,
    Turn,
    Version,
)
from tests.tuning.erasure.world import AGENT, DEEDS, World, places_of, records_with
from tuning.dataset.rows import TRAIN, read_rows
from tuning.erasure.erase import Erased, erase, plan, sweep

ANNA, BEN = "customer-zqanna", "customer-zqben"
SECRET_A, SECRET_B = "zqanna", "zqben"


@pytest.fixture
def world(sqlite: Database, tmp_path: Path) -> World:
    return World.begin(sqlite, tmp_path)


def gone(world: World, customer: str = ANNA, *, in_slack: bool = False) -> Erased:
    return erase(world.place, customer, actor="ops", clock=utc_now, in_slack=in_slack)


def full(world: World) -> None:
    """Something of everything, of two customers."""
    rng = random.Random(1)
    for name in (*DEEDS, "train"):
        for customer, secret in ((ANNA, SECRET_A), (BEN, SECRET_B)):
            DEEDS[name](world, customer, secret, rng)


def test_no_byte_of_an_erased_customer_remains_and_others_are_untouched(world: World) -> None:
    full(world)
    assert len(places_of(SECRET_A, world.home)) > 5
    before = others(world)
    erased = gone(world)
    assert erased.left == []
    assert places_of(SECRET_A, world.home) == []
    assert records_with(SECRET_A, world.database) == {}
    assert others(world) == before
    assert len(places_of(SECRET_B, world.home)) > 5


def others(world: World) -> dict[str, list[str]]:
    """What is stored of the other customer in rows of their own."""
    rows = records_with(SECRET_B, world.database)
    for shared in ("datasets", "versions", "answers"):  # written anew; a cache that is forgotten
        rows.pop(shared, None)
    lessons = {
        row.id: row
        for path in (world.home / "artifacts" / "datasets").iterdir()
        for row in read_rows(path / TRAIN)
        if SECRET_B in str(row)
    }
    return {**rows, "lessons": sorted(map(str, lessons.values()))}


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deeds=st.lists(
        st.tuples(st.sampled_from(sorted(DEEDS)), st.booleans()), min_size=1, max_size=12
    ),
    seed=st.integers(0, 99),
)
def test_whatever_happened_nothing_of_theirs_is_left(
    deeds: list[tuple[str, bool]],
    seed: int,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    shutil.copy(migrated_sqlite, home / "understudy.db")
    database = Database(f"sqlite:///{home / 'understudy.db'}")
    event.listen(
        database.engine, "connect", lambda raw, _: void(raw.execute("PRAGMA synchronous=OFF"))
    )
    world, rng = World.begin(database, home), random.Random(seed)
    for name, is_annas in deeds:
        customer, secret = (ANNA, SECRET_A) if is_annas else (BEN, SECRET_B)
        DEEDS[name](world, customer, secret, rng)
    before = others(world) if (home / "artifacts" / "datasets").exists() else {}
    erased = gone(world)
    assert erased.left == []
    assert places_of(SECRET_A, home) == []
    if before:
        assert others(world) == before
    database.close()


def void(_: object) -> None:
    pass


def test_figures_stay_without_words(world: World) -> None:
    conversation, answer = world.talk(ANNA, SECRET_A)
    world.flag(answer, SECRET_A)
    world.escalate(conversation, SECRET_A, ends=True)
    world.rate(conversation, SECRET_A)
    before = figures(world.database)
    gone(world)
    assert figures(world.database) == before


def figures(database: Database) -> dict[str, object]:
    with database.read() as session:
        counted = {
            table.__tablename__: session.scalar(select(func.count()).select_from(table))
            for table in (Conversation, Turn, Escalation, Flag, Outcome, Example)
        }
        return {
            **counted,
            "csat": session.scalars(select(Outcome.value).order_by(Outcome.id)).all(),
            "reasons": session.scalars(select(Flag.reason)).all(),
            "versions": session.scalars(select(Turn.version).order_by(Turn.position)).all(),
        }


def test_an_open_conversation_is_closed_and_its_reader_is_told(world: World) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    escalation = world.escalate(conversation, SECRET_A, ends=False)
    gone(world)
    with world.database.read() as session:
        closed = conversations.get(session, conversation)
        assert (closed.state, closed.customer, closed.key) == (
            ConversationState.RESOLVED, None, None
        )  # fmt: skip
        row = session.get_one(Escalation, escalation)
        assert (row.state, row.resolved_by) == (EscalationState.RESOLVED, "ops")
        kinds = session.scalars(select(ConversationEvent.kind)).all()
        assert EventKind.RESOLVED in kinds


def test_the_bot_says_nothing_more_of_them_and_with_slack_blanks_what_it_said(
    world: World,
) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    escalation = world.escalate(conversation, SECRET_A, ends=False)
    erased = gone(world, in_slack=True)
    assert erased.counts["messages in Slack"] == 1
    with world.database.read() as session:
        waiting = session.scalars(
            select(OutboxMessage.kind).where(OutboxMessage.state == OutboxState.PENDING)
        ).all()
        assert waiting == [Kind.ESCALATION_CHANGED]
        [card] = erased.shown
        assert (card["channel"], card["kind"]) == ("C1", "escalation_opened")
        assert session.get_one(Escalation, escalation).cause == "(erased)"


def test_what_colleagues_wrote_in_slack_is_named(world: World) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    world.escalate(conversation, SECRET_A, ends=True)
    [(channel, ts)] = gone(world).written
    assert channel == "C1"
    assert ts.endswith(".000001")


def test_datasets_are_replaced_and_the_adapters_of_the_old_ones_named(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    kept = world.flag(world.talk(BEN, SECRET_B)[1], SECRET_B)
    dataset = world.dataset()
    champion = world.adapter(dataset, serves=True)
    child = world.adapter(world.dataset(), start="champion", parent=champion)
    erased = gone(world)
    [rewritten] = erased.datasets
    assert (rewritten.old, rewritten.lessons) == (dataset, 1)
    with world.database.read() as session:
        old = session.get_one(Dataset, dataset)
        assert old.erased_at is not None
        assert old.replaced_by == rewritten.new
        new = session.get_one(Dataset, rewritten.new)
        assert new.card["counts"] == {"train": 2, "held_out": 0}
        assert new.card["erased"]["from"] == dataset
        links = select(DatasetExample.example_id).where(DatasetExample.dataset_id == new.id)
        assert session.scalars(links).all() == [kept]
        assert session.scalars(select(Erasure.versions)).one() == [champion, child]
    assert {row.id for row in read_rows(world.home / "artifacts" / new.path / TRAIN)} == {
        kept, f"{kept}~1"
    }  # fmt: skip
    assert not (world.home / "artifacts" / "datasets" / dataset).exists()
    assert {(one.version, one.serves) for one in erased.trained} == {
        (champion, "champion"), (child, None)
    }  # fmt: skip


def test_an_adapter_that_went_on_from_theirs_is_named_too(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    first = world.adapter(world.dataset())
    with world.database.write() as session:
        session.query(Example).update({"state": ExampleState.REJECTED})
    world.flag(world.talk(BEN, SECRET_B)[1], SECRET_B)
    later = world.adapter(world.dataset(), start="champion", parent=first)
    anew = world.adapter(world.dataset(), start="base", parent=first)
    found = {one.version: one.through for one in gone(world).trained}
    assert found == {first: None, later: first}
    assert anew not in found


def test_an_adapter_that_serves_keeps_probes_that_only_these_words_can_give(
    world: World,
) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    champion = world.adapter(world.dataset(), serves=True)
    erased = gone(world)
    assert len(erased.left) == 1
    assert champion in erased.left[0]
    manifest = world.home / "artifacts" / "adapters" / champion / "manifest.json"
    assert json.loads(manifest.read_text())["mask"] == []
    with world.database.write() as session:
        session.get_one(Version, champion).assistant = "another"  # as if it served no more
    assert places_of(SECRET_A, world.home) == [f"artifacts/adapters/{champion}/manifest.json"]


def test_frozen_cases_are_the_teams_own_and_their_lines_are_named(world: World) -> None:
    world.report(world.talk(BEN, SECRET_B)[0])
    world.report(world.talk(ANNA, SECRET_A)[0])
    assert gone(world).cases == {str(world.cases): [2]}
    assert SECRET_A in world.cases.read_text()


def test_a_question_that_others_asked_too_is_no_quotation(world: World) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    world.report(conversation)
    with world.database.write() as session:
        asked = conversations.history(session, conversation)[0].content
        other, _ = conversations.create(session, assistant="support", customer=BEN)
        conversations.add_turn(
            session, Turn(conversation_id=other.id, role=Role.CUSTOMER, content=asked)
        )
    erased = gone(world)
    assert erased.cases == {}
    assert erased.counts["reports"] == 0


def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    full(world)
    before = {name: places_of(SECRET_A, world.home) for name in ("a",)}
    with world.database.read() as session:
        audited = session.scalar(select(func.count()).select_from(Audit))
    found = plan(world.place, ANNA)
    assert {"a": places_of(SECRET_A, world.home)} == before
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Audit)) == audited
        assert session.scalars(select(Erasure)).all() == []
    erased = gone(world)
    same = ("turns", "escalations", "flags", "examples", "outcomes", "datasets", "lessons")
    assert {name: found.counts[name] for name in same} == {n: erased.counts[n] for n in same}
    assert found.counts["journal lines"] == erased.counts["journal lines"] == 2
    assert found.counts["job folders"] == erased.counts["job folders"] == 4
    assert found.trained == erased.trained


def test_erasing_twice_is_erasing_once(world: World) -> None:
    full(world)
    first = gone(world)
    again = gone(world)
    assert first.erasure_id != again.erasure_id
    assert {name for name, number in again.counts.items() if number} == set()
    assert not any(plan(world.place, ANNA).counts.values())


def test_only_a_keyed_hash_says_who_it_was(world: World) -> None:
    world.talk(ANNA, SECRET_A)
    gone(world)
    with world.database.read() as session:
        [row] = session.scalars(select(Erasure))
        assert row.finished_at is not None
        assert row.customer_hash == world.place.hashed(ANNA)
        assert len(row.customer_hash) == 64
        noted = session.scalars(select(Audit).where(Audit.action == "erase_customer")).one()
        assert (noted.actor, noted.subject, noted.detail) == ("ops", row.id, {})
    key = world.home / "erasure.key"
    assert key.stat().st_mode & 0o077 == 0


def test_what_was_answered_while_it_was_erased_goes_when_it_is_run_again(world: World) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    gone(world)
    with world.database.write() as session:
        late = Turn(conversation_id=conversation, role=Role.ASSISTANT, content=f"late {SECRET_A}")
        conversations.add_turn(session, late)
    assert plan(world.place, ANNA).counts["conversations"] == 1
    gone(world)
    assert places_of(SECRET_A, world.home) == []


def test_nobody_is_erased_while_a_retraining_runs(world: World) -> None:
    world.flag(world.talk(ANNA, SECRET_A)[1], SECRET_A)
    with world.database.write() as session:
        session.add(Job(assistant="support", state=JobState.RUNNING, requested_by="ops"))
    with pytest.raises(Conflict, match="understudy cancel job_"):
        gone(world)
    assert records_with(SECRET_A, world.database)


def test_erased_examples_are_not_made_again_nor_flagged(world: World) -> None:
    conversation, answer = world.talk(ANNA, SECRET_A)
    with world.database.write() as session:
        outcomes.rate(session, conversation, Rating(thumb_up=True))
    example = world.flag(answer, SECRET_A)
    with world.database.write() as session:
        flags.withdraw(session, answer, agent=AGENT)
    gone(world)
    with world.database.write() as session:
        assert examples.get(session, example).state is ExampleState.ERASED
        with pytest.raises(InvalidInput, match="were erased"):
            flags.add(session, answer, agent=AGENT, judgement=flags.Judgement(correction="x"))
        replay.collect_words(session, "support")
        assert {e.state for e in session.query(Example)} == {ExampleState.ERASED}


def test_on_another_machine_files_are_swept_by_the_erasures_id(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    conversation, _ = world.talk(ANNA, SECRET_A)
    erasure = gone(world).erasure_id or ""
    world.home = tmp_path_factory.mktemp("another-machine")
    spool = world.home / "spool"
    spool.mkdir()
    lines = [{"conversation_id": conversation, "turns": [{"content": SECRET_A}]}, {"x": "kept"}]
    (spool / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    swept = sweep(world.place, erasure, clock=utc_now)
    assert swept.counts["journal lines"] == 1
    assert (spool / "a.jsonl").read_text() == '{"x": "kept"}\n'
    with pytest.raises(NotFound, match="No erasure"):
        sweep(world.place, "er_0", clock=utc_now)


def test_who_reads_the_database_meanwhile_keeps_old_bytes_in_it_and_that_is_said(
    world: World,
) -> None:
    world.talk(ANNA, SECRET_A)
    world.database.close()
    world.database = Database(f"sqlite:///{world.home / 'understudy.db'}", lock_wait_seconds=0.1)
    with world.database.read() as session:
        session.scalars(select(Turn)).all()
        erased = gone(world)
    assert len(erased.left) == 1
    assert "run this again" in erased.left[0].lower()
    assert places_of(SECRET_A, world.home)
    assert gone(world).left == []
    assert places_of(SECRET_A, world.home) == []
    world.database.close()


def test_on_postgres_no_row_of_theirs_remains(postgres: Database, tmp_path: Path) -> None:
    world = World.begin(postgres, tmp_path)
    full(world)
    before = others(world)
    assert gone(world).left == []
    assert records_with(SECRET_A, postgres) == {}
    assert others(world) == before


KILLED = {
    "a dataset was published": ("tuning.erasure.datasets", "_register"),
    "files are done": ("records.erasing", "blank"),
    "records are done": ("tuning.erasure.compaction", "compact"),
    "the file is written anew": ("records.erasing", "finish"),
    "a manifest is being written": ("shutil", "copytree"),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", KILLED)
def test_killed_at_any_moment_it_is_completed_by_running_it_again(
    world: World, moment: str
) -> None:
    full(world)
    before = others(world)
    world.database.close()
    module, name = KILLED[moment]
    code = (
        f"import os, {module}\n"
        f"{module}.{name} = lambda *a, **k: os.kill(os.getpid(), 9)\n"
        "from records.cli import main\n"
        f"import sys; sys.argv = ['understudy', 'erase', '--customer', '{ANNA}', '--yes']\n"
        "main()\n"
    )
    environment = {**os.environ, **variables(world)}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    world.database = Database(f"sqlite:///{world.home / 'understudy.db'}")
    assert gone(world).left == []
    assert places_of(SECRET_A, world.home) == []
    assert others(world) == before
    with world.database.read() as session:
        [row] = session.scalars(select(Erasure))
        assert row.finished_at is not None
    world.database.close()


def variables(world: World) -> dict[str, str]:
    assistants = world.home / "team" / "assistants"
    assistants.mkdir(parents=True, exist_ok=True)
    content = f"name: support\nsystem_prompt: s\nbase_model: some/base\ncases: {world.cases}\n"
    (assistants / "support.yaml").write_text(content)
    return {"UNDERSTUDY_HOME": str(world.home), "UNDERSTUDY_ASSISTANTS": str(assistants)}


def test_whose_customer_is_unknown_is_nobody(world: World) -> None:
    with world.database.read() as session:
        assert not reached.reach(session, "nobody", "hash")
