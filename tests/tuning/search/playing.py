"""A trainer without a model: its answers are as good as a formula says, on a clock of its own."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuning.dataset.rows import HELD_OUT, TRAIN, Row, read_rows, write_rows
from tuning.search.searching import Means
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe

PARTS = 8
LOADING_SECONDS = 5.0


class Killed(BaseException):
    """The process ends here."""


def good_near_a_high_rate(recipe: Recipe) -> float:
    """Best at a learning rate of 1e-3, whatever else."""
    return 0.9 - 0.2 * abs(math.log10(recipe.learning_rate) + 3)


@dataclass
class Playing:
    """Trains in no time; `now` is the clock that it moves."""

    quality: Callable[[Recipe], float] = good_near_a_high_rate
    epoch_seconds: float = 30.0
    now: float = 1000.0
    fails: Callable[[Recipe], Exception | None] = lambda _: None
    dies_in: tuple[int, int] | None = None
    """The trial's number (from 1) and the part in which the process is killed."""
    trained: list[Recipe] = field(default_factory=list)
    told: list[Mapping[str, Any]] = field(default_factory=list)
    looked_again: list[set[str]] = field(default_factory=list)

    def means(self) -> Means:
        return Means(
            train=self.train,
            look_again=self.look_again,
            check=lambda: None,
            on_progress=self.told.append,
            clock=lambda: self.now,
        )

    def train(self, folder: JobFolder, check: Callable[[], None]) -> Path:
        spec = folder.read_spec()
        recipe = spec.recipe
        if error := self.fails(recipe):
            raise error
        number = int(folder.path.name.rpartition("-")[2])
        if not (folder.path / "begun").exists():
            self.trained.append(recipe)
            (folder.path / "begun").touch()
        rows = sum(1 for _ in read_rows(spec.dataset_folder / TRAIN))
        part_seconds = self.epoch_seconds * recipe.epochs * rows / 100 / PARTS
        self.now += LOADING_SECONDS
        whole = folder.path / "parts"
        first = int(whole.read_text()) if whole.exists() else 0
        limit, done = (recipe.max_minutes or math.inf) * 60, float(first)
        for part in range(first + 1, PARTS + 1):
            if self.dies_in == (number, part):
                self.dies_in = None
                raise Killed
            before, done = done, min(part, limit / part_seconds)
            self.now += (done - before) * part_seconds
            whole.write_text(str(part))
            folder.append_progress(
                {
                    "stage": "training",
                    "step": part,
                    "steps": PARTS,
                    "held_out_quality": self.quality(recipe) * done / PARTS,
                    "elapsed_seconds": done * part_seconds,
                }
            )
            check()
            if done < part:
                break
        folder.adapter.mkdir()
        (folder.adapter / "weights").write_text(repr(recipe.learning_rate))
        manifest = {
            "recipe": recipe.model_dump(mode="json"),
            "metrics": {
                "held_out_quality": self.quality(recipe) * done / PARTS,
                "held_out_loss": 1.0,
                "time_is_up": done < PARTS,
            },
            "training_seconds": done * part_seconds,
        }
        (folder.adapter / "manifest.json").write_text(json.dumps(manifest))
        return folder.adapter

    def look_again(self, adapters: Mapping[str, Path], rows: Path) -> dict[str, Any]:
        self.looked_again.append(set(adapters))
        self.now += LOADING_SECONDS
        count = sum(1 for _ in read_rows(rows))
        found = {}
        for name, folder in adapters.items():
            recipe = Recipe.model_validate(
                json.loads((folder / "manifest.json").read_text())["recipe"]
            )
            found[name] = {
                "quality": self.quality(recipe) - 0.05,
                "held_out_loss": 1.1,
                "prompts": count,
            }
        return found


def row(number: int, *, source: str = "flag") -> Row:
    return Row(
        id=f"ex_{source}_{number:05d}",
        source=source,
        prompt=({"role": "user", "content": f"Where is my {source} card {number}?"},),
        learn=(False,),
        answer="Open the app.",
    )


def rows(corrections: int, replay: int, *, start: int = 0) -> list[Row]:
    found = [row(start + n) for n in range(corrections)]
    return found + [row(start + n, source="accepted") for n in range(replay)]


def spec_of(folder: Path, *, recipe: Recipe | None = None) -> Spec:
    """What a search is given: 50 corrections and 150 accepted answers; 80 and 160 held out."""
    dataset = folder / "shared"
    dataset.mkdir()
    write_rows(dataset / TRAIN, rows(50, 150))
    write_rows(dataset / HELD_OUT, rows(80, 160, start=1000))
    return Spec(
        assistant="support",
        base_model="base",
        base_hash="0" * 64,
        dataset_id="ds-1",
        dataset_hash="1" * 64,
        dataset_folder=dataset,
        parent=None,
        recipe=recipe or Recipe(),
        max_length=512,
        threads=1,
        accelerator_lock=folder / "accelerator.lock",
    )
