"""A plan, and the folders that it speaks of."""

from pathlib import Path
from typing import Any

from tuning.ray.plan import Input, Plan, fingerprint
from tuning.training.job_folder import Spec
from tuning.training.recipe import Recipe


def a_folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).write_text(content)
    return path


def an_input(folder: Path, *, stored: str | None = None) -> Input:
    return Input(folder=folder, fingerprint=fingerprint(folder), stored=stored)


def a_plan(folder: Path, **changes: Any) -> Plan:
    base = a_folder(folder / "base", config="{}", weights="w" * 100)
    dataset = a_folder(folder / "dataset", train="rows")
    values: dict[str, Any] = {
        "key": "trainings/job_1",
        "spec": Spec(
            assistant="support",
            base_model=str(base),
            base_hash="1" * 64,
            dataset_id="ds-1",
            dataset_hash="0" * 64,
            dataset_folder=dataset,
            parent="support-base",
            recipe=Recipe(),
            max_length=200,
            threads=1,
            accelerator_lock=folder / "accelerator.lock",
        ),
        "store_url": str(folder / "store"),
        "store_endpoint": "",
        "base": an_input(base),
        "dataset": an_input(dataset),
        "start": None,
        "workers": 4,
        "cpus": 2.0,
        "gpus": 0.0,
        "resources": {},
        "wait_seconds": 1.0,
        "losses": 5,
        "scratch": str(folder / "scratch"),
    }
    return Plan(**(values | changes))
