"""The working files of one retraining: what the worker hands its trainer and gets back.

spec.json        what to train                     written by the worker
progress.jsonl   a line whenever there is news     written by the trainer, as all below
trainer.log      its output
checkpoints/     each `complete` or ignored
adapter/         appears whole, when training is done
error.json       why there is none
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from records.errors import (
    AdapterUnservable,
    ConfigurationError,
    StorageFull,
    StorageUnavailable,
    TrainingFailed,
    UnderstudyError,
)
from tuning.training.recipe import Recipe

END_WITH_STDIN = "--end-with-stdin"
"""Tells a trainer that its worker holds its standard input open for as long as it lives."""

_COMPLETE = "complete"
_BLOCK = 1 << 20
_FULL_ERRNOS = {27, 28, 122}  # file too large, no space, quota
_ERRORS = {
    kind.__name__: kind
    for kind in (
        AdapterUnservable,
        ConfigurationError,
        StorageFull,
        StorageUnavailable,
        TrainingFailed,
    )
}


class Spec(BaseModel):
    """What a trainer is asked to train."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    assistant: str
    base_model: str
    base_hash: str
    dataset_id: str
    dataset_hash: str
    dataset_folder: Path
    parent: str | None
    recipe: Recipe
    max_length: int
    """In tokens: the recipe's, or what the engine can read where that is less."""
    threads: int
    accelerator_lock: Path
    start_adapter: Path | None = None
    """The champion's adapter, to go on from; None: from the base."""
    marker: str = "[handoff]"
    """How the assistant asks for a handoff."""
    right_answer_f1: float = 0.8
    """Token-F1 from which evaluation counts an answer as right."""
    report_to: tuple[str, ...] = ()
    """Trackers that get the curves."""
    curves: Path | None = None
    """Where trackers keep them."""
    memory_mb: int | None = None
    """What training may take of the accelerator's memory; None: all that is free."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Paths and small files of a job's folder."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held by the trainer, so that never two work here."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """The trainer's output."""
        return self.path / "trainer.log"

    @property
    def progress(self) -> Path:
        """One JSON object a line."""
        return self.path / "progress.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Where training can go on after a crash."""
        return self.path / "checkpoints"

    @property
    def initial(self) -> Path:
        """The adapter as training began, where that is needed at its end (PiSSA)."""
        return self.path / "initial"

    @property
    def arriving(self) -> Path:
        """The adapter that is being written."""
        return self.path / "adapter.arriving"

    @property
    def adapter(self) -> Path:
        """The finished adapter."""
        return self.path / "adapter"

    def write_spec(self, spec: Spec) -> None:
        """Hand over what to train, once: a job that goes on keeps its first specification."""
        target = self.path / "spec.json"
        if not target.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            _write_whole(target, spec.model_dump_json(indent=2))

    def read_spec(self) -> Spec:
        """What to train."""
        return Spec.model_validate_json((self.path / "spec.json").read_text())

    def append_progress(self, line: Mapping[str, Any]) -> None:
        """Tell news."""
        with self.progress.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def read_progress(self, *, start: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Whole lines told since byte `start`, and the byte to read on from."""
        if not self.progress.exists():
            return [], start
        with self.progress.open("rb") as file:
            file.seek(start)
            whole, newline, _ = file.read().rpartition(b"\n")
        lines = [json.loads(line) for line in whole.splitlines()]
        return lines, start + len(whole) + len(newline)

    def mark_complete(self, checkpoint: Path) -> None:
        """Note that a checkpoint is wholly written, and what its bytes are."""
        _write_whole(checkpoint / _COMPLETE, _digest(checkpoint))

    def last_checkpoint(self) -> Path | None:
        """The newest whole checkpoint; half-written and damaged ones are removed."""
        for checkpoint in reversed(self._checkpoints()):
            note = checkpoint / _COMPLETE
            if note.exists() and note.read_text() == _digest(checkpoint):
                return checkpoint
            shutil.rmtree(checkpoint, ignore_errors=True)
        return None

    def keep_last_checkpoints(self, count: int = 2) -> None:
        """Remove older ones: the last but one stays, should the last be damaged."""
        for checkpoint in self._checkpoints()[:-count]:
            shutil.rmtree(checkpoint, ignore_errors=True)

    def _checkpoints(self) -> list[Path]:
        """By step, the newest last."""
        return sorted(
            self.checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
        )

    def clean(self) -> None:
        """Drop what only an unfinished training needs."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        shutil.rmtree(self.initial, ignore_errors=True)

    def write_error(self, error: UnderstudyError) -> None:
        """Tell the worker why there is no adapter."""
        _write_whole(
            self.path / "error.json",
            json.dumps({"kind": type(error).__name__, "message": str(error)}),
        )

    def clear_error(self) -> None:
        """Forget an earlier attempt's error."""
        (self.path / "error.json").unlink(missing_ok=True)

    def read_error(self, *, exit_code: int) -> UnderstudyError:
        """Why the trainer ended without an adapter: its own word, or the end of its log."""
        try:
            told = json.loads((self.path / "error.json").read_text())
            kind = _ERRORS.get(told["kind"], TrainingFailed)
            return kind(told["message"])
        except (OSError, ValueError, KeyError):
            tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            return TrainingFailed(
                f"The trainer ended with code {exit_code} and no adapter. {' / '.join(tail)} "
                f"(all of it: {self.log})"
            )


def storage_error(error: BaseException) -> StorageFull | None:
    """Our error where a failed write is at the bottom of `error`, however a library words it."""
    signs = (
        "No space left",
        "File too large",
        "quota exceeded",
        "PytorchStreamWriter failed",
        "unexpected pos",  # torch.save's word for fewer bytes than it wrote
    )
    full = isinstance(error, OSError) and error.errno in _FULL_ERRNOS
    if not full and not any(sign in str(error) for sign in signs):
        return None
    return StorageFull(
        f"No space is left for training ({error}). Free some or move UNDERSTUDY_HOME, then retrain."
    )


def _digest(folder: Path) -> str:
    """SHA-256 of a folder's files, but for the note that it is complete."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith(_COMPLETE):
            with path.open("rb") as file:
                digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
                for block in iter(lambda: file.read(_BLOCK), b""):
                    digest.update(block)
    return digest.hexdigest()


def _write_whole(path: Path, text: str) -> None:
    arriving = path.with_suffix(".arriving")
    arriving.write_text(text)
    arriving.rename(path)
