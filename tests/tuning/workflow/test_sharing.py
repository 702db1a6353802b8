"""One accelerator for serving and training: shares of its memory."""

import subprocess
from pathlib import Path

import pytest

from tuning.workflow import sharing
from tuning.workflow.sharing import Memory


def test_a_share_is_of_all_and_never_more_than_is_free() -> None:
    memory = Memory(total_mb=80_000, free_mb=10_000)
    assert memory.share_mb(0.3) == 24_000
    assert memory.left_mb(0.3) == 10_000
    assert memory.left_mb(0.1) == 8_000


def test_without_a_share_trainings_take_what_is_free() -> None:
    memory = Memory(total_mb=80_000, free_mb=10_000)
    assert memory.share_mb(0) is None
    assert memory.left_mb(0) == 10_000


def test_the_gpus_memory_is_read_from_nvidias_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "$@" > "$0.asked"; echo "81559, 7012"\n')
    program.chmod(0o700)
    monkeypatch.setattr(sharing, "has_gpu", lambda: True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert sharing.memory() == Memory(81559, 7012)
    assert "--id=3" in (tmp_path / "nvidia-smi.asked").read_text()


@pytest.mark.parametrize("said", ["", "N/A", "[Not Supported], [Not Supported]", "1,2,3"])
def test_what_is_no_answer_is_not_taken_for_one(said: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        sharing.read_memory(said)


def test_where_that_program_is_not_there_the_machine_is_asked_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(sharing, "has_gpu", lambda: True)
    monkeypatch.setattr(subprocess, "run", absent)
    found = sharing.memory()
    assert 0 < found.free_mb <= found.total_mb
