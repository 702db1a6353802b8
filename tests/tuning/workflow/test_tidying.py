"""What ended jobs leave on the disk: what tells of them stays, what was work goes."""

from pathlib import Path

from records import jobs
from records.database import Database
from records.states import JobState
from tuning.workflow.tidying import tidy_ended


def working(folders: Path, job_id: str) -> Path:
    folder = folders / job_id
    for name in ("dataset", "checkpoints", "trials", "adapter"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").touch()
    (folder / "trainer.log").touch()
    return folder


def test_after_ended_jobs_is_tidied_up_and_running_ones_keep_all(
    sqlite: Database, tmp_path: Path
) -> None:
    with sqlite.write() as session:
        done = jobs.request(session, "support", requested_by="U1").id
        jobs.finish(session, done, state=JobState.SUCCEEDED)
        runs = jobs.request(session, "support", requested_by="U1").id
    for job_id in (done, runs, "another database's"):
        working(tmp_path / "jobs", job_id)
    assert tidy_ended(sqlite, tmp_path / "jobs") == [done]
    assert [p.name for p in (tmp_path / "jobs" / done).iterdir()] == ["trainer.log"]
    for kept in (runs, "another database's"):
        assert len(list((tmp_path / "jobs" / kept).iterdir())) == 5
    assert tidy_ended(sqlite, tmp_path / "jobs") == []


def test_where_no_job_ever_ran_there_is_nothing_to_do(sqlite: Database, tmp_path: Path) -> None:
    assert tidy_ended(sqlite, tmp_path / "jobs") == []
