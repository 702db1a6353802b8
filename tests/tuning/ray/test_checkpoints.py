"""Checkpoints in the artifact store: two places that take turns, the newest whole one wins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from records.object_store import ObjectStore
from tests.tuning.ray.planned import a_folder
from tuning.ray.checkpoints import Checkpoints
from tuning.ray.planning import open_store
from tuning.training.job_folder import JobFolder


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "folder":
        yield open_store(str(tmp_path / "store"), endpoint="")
        return
    from tests.tuning.ray.bucket import bucket

    with bucket() as (url, endpoint, keys), pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        yield open_store(url, endpoint=endpoint)


def write(folder: JobFolder, step: int, content: str = "state") -> Path:
    checkpoint = a_folder(folder.checkpoints / f"checkpoint-{step}", state=f"{content} {step}")
    folder.mark_complete(checkpoint)
    return checkpoint


def steps_there(checkpoints: Checkpoints, folder: JobFolder) -> list[str]:
    found = []
    for place in checkpoints.newest():
        assert checkpoints.get(place, folder)
        last = folder.last_checkpoint()
        assert last is not None
        found.append((last / "state").read_text())
    return found


def test_the_two_newest_are_kept_and_arrive_as_they_were(
    store: ObjectStore, tmp_path: Path
) -> None:
    checkpoints = Checkpoints(store, "trainings/job_1")
    here, there = JobFolder(tmp_path / "here"), JobFolder(tmp_path / "there")
    assert checkpoints.newest() == []
    for step in (4, 8, 12, 100):
        checkpoints.put(write(here, step))
        assert steps_there(checkpoints, there)[0] == f"state {step}"
    assert steps_there(checkpoints, there) == ["state 100", "state 12"]
    assert [path.name for path in here.checkpoints.glob("leaving*")] == []


def test_a_damaged_one_and_one_that_was_cut_off_are_passed_over(
    store: ObjectStore, tmp_path: Path
) -> None:
    checkpoints = Checkpoints(store, "trainings/job_2")
    here, there = JobFolder(tmp_path / "here"), JobFolder(tmp_path / "there")
    for step in (4, 8):
        checkpoints.put(write(here, step))
    files, root = store._open()
    newest = checkpoints.newest()[0]
    files.pipe_file(f"{root}/trainings/job_2/checkpoints/{newest}/checkpoint-8/state", b"other")
    assert not checkpoints.get(newest, there)
    assert there.last_checkpoint() is None
    store.erase(f"trainings/job_2/checkpoints/{newest}")  # the first thing that a new one does
    assert steps_there(checkpoints, there) == ["state 4"]
