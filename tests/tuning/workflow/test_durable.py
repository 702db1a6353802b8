"""A job's life in the worker: each end is recorded once, and a child never outlives its job."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from records import conversations, examples, fixes, flags, jobs, outbox, versions
from records.artifacts import Artifacts
from records.conversations import Arrival
from records.database import Database
from records.errors import StorageUnavailable
from records.flags import Judgement
from records.ids import utc_now
from records.messages import Role
from records.states import JobState
from records.tables import Dataset, Example, Fix, Job, OutboxMessage, Turn, Version
from tests.stub_engine import Fault
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.engine import ProvingEngine
from tuning.settings import WorkerSettings
from tuning.workflow.worker import Worker, only_worker, worker_runs

STANDIN = (sys.executable, "-m", "tests.tuning.standin_trainer")


@contextmanager
def running(settings: WorkerSettings, store: Database, shelf: Artifacts) -> Iterator[Worker]:
    with Worker(settings, store, shelf, trainer=STANDIN) as worker:
        thread = threading.Thread(target=worker.serve)
        thread.start()
        try:
            yield worker
        finally:
            worker.stopping.set()
            thread.join()


def request(store: Database, **recipe: object) -> str:
    with store.write() as session:
        return jobs.request(
            session, "support", requested_by="tester", options={"recipe": recipe}
        ).id


def job_of(store: Database, job_id: str) -> Job:
    with store.read() as session:
        return jobs.get(session, job_id)


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ended(store: Database, job_id: str, *, seconds: float = 60) -> Job:
    wait_for(lambda: job_of(store, job_id).state not in jobs.ACTIVE, seconds=seconds)
    return job_of(store, job_id)


def count(store: Database, table: type) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def pid_of(settings: WorkerSettings, job_id: str) -> int:
    file = settings.jobs / job_id / "trainer.pid"
    wait_for(lambda: file.exists() and bool(file.read_text()))
    return int(file.read_text())


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_job_ends_with_a_proved_version(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    proving_engine: ProvingEngine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="tuning")
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    told = [r.getMessage() for r in caplog.records if job.id in r.getMessage()]
    assert told[0] == f"job {job.id}: support, asked for by tester"
    assert f"job {job.id}: dataset ready: {job.dataset_id}" in told
    assert f"job {job.id}: adapter published: {job.version}" in told
    assert told[-1].startswith(f"job {job.id} succeeded: version {job.version}, ")
    assert len(told) == len(set(told))
    with store.read() as session:
        version = versions.get(session, str(job.version))
    assert version.dataset_id == job.dataset_id
    assert version.parent == "support-base"
    assert list(proving_engine.loaded) == [version.id]
    assert "probes" not in version.manifest


def test_a_job_runs_with_all_state_in_postgresql(
    settings: WorkerSettings, database: Database, shelf: Artifacts
) -> None:
    teach(database, lessons(12))
    with running(settings.model_copy(update={"database_url": database.url}), database, shelf):
        assert ended(database, request(database)).state is JobState.SUCCEEDED
    assert (settings.home / "dbos.sqlite").exists() is database.is_sqlite


def test_the_same_job_again_gives_the_same_version_and_dataset(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    teach(store, lessons(12))
    with running(settings, store, shelf):
        first, second = (ended(store, request(store)) for _ in range(2))
    assert (first.version, first.dataset_id) == (second.version, second.dataset_id)
    assert (count(store, Version), count(store, Dataset)) == (2, 1)


@pytest.mark.parametrize(
    ("mode", "sentence"), [("full", "No space is left"), ("crash", "the trainer's last words")]
)
def test_a_trainer_that_fails_leaves_its_reason_and_nothing_half_published(
    settings: WorkerSettings,
    store: Database,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    sentence: str,
) -> None:
    monkeypatch.setenv("MODE", mode)
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.FAILED
    assert sentence in str(job.error)
    assert not (settings.home / "artifacts" / "adapters").exists()
    assert count(store, Version) == 1


def test_an_empty_dataset_fails_the_job_and_says_what_to_do(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.FAILED
    assert "understudy import FILE" in str(job.error)


def test_a_leaked_case_fails_the_job_and_names_its_line(
    settings: WorkerSettings, store: Database, shelf: Artifacts, tmp_path: Path
) -> None:
    asked, answer = lessons(1)[0]
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"messages": [{"role": "user", "content": "Other?"}], "reference": "Yes."}\n'
        f'{{"messages": [{{"role": "user", "content": "{asked}"}}], "reference": "{answer}"}}\n'
    )
    write_assistant(tmp_path / "assistants", cases=cases)
    teach(store, lessons(5))
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert "line 2 of the cases file" in str(job.error)


def test_an_adapter_that_the_engine_does_not_apply_fails_the_job(
    settings: WorkerSettings, store: Database, shelf: Artifacts, proving_engine: ProvingEngine
) -> None:
    proving_engine.not_applied = _Everything()
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.FAILED
    assert "not applied" in str(job.error)


class _Everything(set[str]):
    def __contains__(self, _: object) -> bool:
        return True


def test_no_engine_fails_the_job_before_it_trains(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    alone = settings.model_copy(update={"engine_urls": "http://127.0.0.1:1"})
    teach(store, lessons(12))
    with running(alone, store, shelf):
        job = ended(store, request(store))
    assert "No engine answers at http://127.0.0.1:1" in str(job.error)
    assert not (settings.jobs / job.id / "trainer.log").exists()


def test_cancelling_ends_the_trainer_at_once(
    settings: WorkerSettings, store: Database, shelf: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "wait")
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job_id = request(store)
        trainer = pid_of(settings, job_id)
        with store.write() as session:
            jobs.cancel(session, job_id, actor="tester")
        wait_for(lambda: not alive(trainer), seconds=5)
        monkeypatch.setenv("MODE", "")
        assert ended(store, request(store)).state is JobState.SUCCEEDED
    assert job_of(store, job_id).state is JobState.CANCELLED


def test_a_worker_that_stops_ends_its_trainer_and_the_next_one_goes_on(
    settings: WorkerSettings, store: Database, shelf: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "wait")
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job_id = request(store)
        trainer = pid_of(settings, job_id)
    assert not alive(trainer)
    assert job_of(store, job_id).state is JobState.RUNNING
    monkeypatch.setenv("MODE", "")
    with running(settings, store, shelf):
        assert ended(store, job_id).state is JobState.SUCCEEDED
    with store.read() as session:
        started = outbox.Kind.JOB_STARTED
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == started)).all()
    assert len(rows) == 1


def test_a_worker_asks_by_itself_for_what_is_due(
    settings: WorkerSettings, store: Database, shelf: Artifacts, tmp_path: Path
) -> None:
    write_assistant(tmp_path / "assistants", retrain={"after_examples": 12})
    teach(store, lessons(12))
    with running(settings, store, shelf):
        wait_for(lambda: count(store, Job) == 1)
        with store.read() as session:
            job_id = session.scalars(select(Job.id)).one()
        job = ended(store, job_id)
    assert (job.requested_by, job.state) == ("threshold", JobState.SUCCEEDED)


def test_an_assistants_file_that_cannot_be_read_stops_no_worker(
    settings: WorkerSettings, store: Database, shelf: Artifacts, tmp_path: Path
) -> None:
    file = write_assistant(tmp_path / "assistants") / "support.yaml"
    whole = file.read_text()
    file.write_text("name: [")
    with running(settings, store, shelf) as worker:
        worker.look()
        file.write_text(whole)
        teach(store, lessons(12))
        assert ended(store, request(store)).state is JobState.SUCCEEDED


def test_corrections_before_a_given_time_are_left_out(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    teach(store, lessons(12))
    since = utc_now().isoformat()
    teach(store, [(f"Another {n}?", "Yes.") for n in range(4)])
    with store.write() as session:
        job = jobs.request(session, "support", requested_by="tester", options={"since": since})
    with running(settings, store, shelf):
        done = ended(store, job.id)
    with store.read() as session:
        assert sum(session.get_one(Dataset, done.dataset_id).card["counts"].values()) == 4


def test_the_new_version_is_asked_what_was_flagged(
    settings: WorkerSettings, store: Database, shelf: Artifacts, proving_engine: ProvingEngine
) -> None:
    right, wrong = flagged(store, "Where is my card?"), flagged(store, "Is there a fee?")
    teach(store, lessons(12))
    answers = {"Where is my card?": "In the Cards tab.", "Is there a fee?": "Ask my cat."}
    proving_engine.answer = lambda _, messages: answers[messages[-1]["content"]]
    with running(settings, store, shelf):
        job = ended(store, request(store))
    with store.read() as session:
        found = {fix.flag_id: fix for fix in fixes.of_version(session, str(job.version))}
    assert {flag: fix.fixed for flag, fix in found.items()} == {right: True, wrong: False}
    assert found[right].answer == "In the Cards tab."
    assert not found[right].handed_over


def test_engines_that_fail_at_the_flags_do_not_fail_the_job(
    settings: WorkerSettings, store: Database, shelf: Artifacts, proving_engine: ProvingEngine
) -> None:
    flagged(store, "Where is my card?")
    teach(store, lessons(12))
    proving_engine.fault = Fault.ERROR_400
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.SUCCEEDED
    assert count(store, Fix) == 0


def flagged(store: Database, asked: str) -> str:
    """An answer that an agent flagged, with its approved correction; returns the flag's id."""
    with store.write() as session:
        conversations.receive(session, Arrival("support", f"conv_{asked}", asked))
        answer = conversations.add_turn(
            session,
            Turn(
                conversation_id=f"conv_{asked}",
                role=Role.ASSISTANT,
                content="I do not know.",
                version="support-base",
            ),
        )
        flag = flags.add(
            session, answer.id, agent="U0ANN", judgement=Judgement(correction="In the Cards tab.")
        )
        example = session.scalars(select(Example).where(Example.flag_id == flag.id)).one()
        examples.decide(session, example.id, approve=True, actor="U0DANA")
        return flag.id


def test_a_job_that_an_earlier_release_began_is_ended_with_a_sentence(
    settings: WorkerSettings, store: Database, shelf: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "wait")
    teach(store, lessons(12))
    with running(settings, store, shelf):
        job_id = request(store)
        pid_of(settings, job_id)
    monkeypatch.setattr("tuning.workflow.durable._VERSION", "next")
    with running(settings, store, shelf):
        job = ended(store, job_id)
    assert job.state is JobState.FAILED
    assert "earlier release" in str(job.error)


def test_only_one_worker_runs_on_a_database(database: Database, tmp_path: Path) -> None:
    one, other = (WorkerSettings(home=tmp_path / name) for name in ("one", "other"))
    with only_worker(one, database) as first:
        assert first
        assert worker_runs(one)
        with only_worker(one, database) as second:
            assert not second
        with only_worker(other, database) as elsewhere:
            assert elsewhere is database.is_sqlite  # another home has another SQLite file
    assert not worker_runs(one)
    with only_worker(other, database) as freed:
        assert freed


def test_a_workflow_database_that_is_none_is_named(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "dbos.sqlite").write_text("this is not a database, but it is long enough" * 9)
    with (
        pytest.raises(StorageUnavailable, match=r"dbos\.sqlite, move it away"),
        Worker(settings, store, shelf),
    ):
        pass
