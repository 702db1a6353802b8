"""The processes of one installation do not take each other's locks."""

from pathlib import Path

from bot.outbox.leadership import Leadership
from records.database import AdvisoryLock, Database
from tuning.settings import WorkerSettings
from tuning.workflow.worker import only_worker


def test_no_two_advisory_locks_have_one_number() -> None:
    numbers = [lock.value for lock in AdvisoryLock.__members__.values()]
    assert len(set(numbers)) == len(numbers)


def test_a_bot_and_a_worker_run_on_one_database(database: Database, tmp_path: Path) -> None:
    leadership = Leadership(database)
    try:
        assert leadership.holds()
        with only_worker(WorkerSettings(home=tmp_path / "worker"), database) as ours:
            assert ours
            assert leadership.holds()
    finally:
        leadership.release()
