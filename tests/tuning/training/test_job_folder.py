"""A job's folder: whole or not there, also after a crash."""

import errno
from pathlib import Path

from records.errors import StorageFull, TrainingFailed
from tuning.training.job_folder import JobFolder, storage_error


def test_a_line_that_is_being_written_is_read_once_it_is_whole(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.append_progress({"step": 1})
    with folder.progress.open("a") as file:
        file.write('{"step"')
    lines, read = folder.read_progress()
    with folder.progress.open("a") as file:
        file.write(": 2}\n")
    assert [line["step"] for line in lines] == [1]
    assert [line["step"] for line in folder.read_progress(start=read)[0]] == [2]


def test_training_goes_on_from_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    assert folder.last_checkpoint() is None
    for step in (9, 10, 11):
        (folder.checkpoints / f"checkpoint-{step}").mkdir(parents=True)
    for step in (9, 10):
        folder.mark_complete(folder.checkpoints / f"checkpoint-{step}")
    assert folder.last_checkpoint() == folder.checkpoints / "checkpoint-10"
    assert not (folder.checkpoints / "checkpoint-11").exists()


def test_a_damaged_checkpoint_is_left_for_the_one_before(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    for step in (2, 4, 6):
        checkpoint = folder.checkpoints / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "state.pt").write_bytes(bytes([step]) * 1000)
        folder.mark_complete(checkpoint)
        folder.keep_last_checkpoints()
    assert not (folder.checkpoints / "checkpoint-2").exists()
    damaged = folder.checkpoints / "checkpoint-6" / "state.pt"
    damaged.write_bytes(bytes([6]) * 999 + b"x")
    assert folder.last_checkpoint() == folder.checkpoints / "checkpoint-4"
    assert not damaged.exists()


def test_the_trainers_error_is_its_own_word_or_the_end_of_its_log(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.log.write_text("one\ntwo\nKilled\n")
    told = folder.read_error(exit_code=-9)
    assert isinstance(told, TrainingFailed)
    assert "code -9" in str(told)
    assert "Killed" in str(told)
    folder.write_error(StorageFull("No space."))
    assert isinstance(folder.read_error(exit_code=1), StorageFull)


def test_a_full_disk_is_known_however_a_library_words_it() -> None:
    assert storage_error(OSError(errno.ENOSPC, "x"))
    assert storage_error(RuntimeError("I/O error: File too large (os error 27)"))
    assert storage_error(ValueError("something else")) is None
