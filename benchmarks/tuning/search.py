"""Does a search for a recipe pay? The default recipe against what a search finds from it.

    python -m benchmarks.tuning.search [--corrections 300] [--budget 6m] [--seeds 3] [--start demo]

The data are those of `methods.py`: each seed draws other customers from the demo's traffic; wrong
answers become corrections, right ones replay. `--start untuned` begins from the defaults of
`tuning/training/recipe.py`, which are meant for large bases, as a team would that has measured
nothing; `--start demo` from the demo's own recipe, which was found by hand. Both adapters answer
the demo's `dev` queries, which neither training nor search has seen.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml

from benchmarks.tuning.methods import BASE, Data, Found, Judge, customers, show
from deploy.demo.queries import ASSISTANT, Part, load_policy, load_queries
from evaluation.search_wording import sentences, to_keep, trial_rows
from records.adapters import base_hash, read_manifest
from records.cli import table
from records.offline import go_offline
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows
from tuning.search.budget import parse_budget
from tuning.search.searching import CHOSEN, DEFAULT, Means, search
from tuning.search.second_look import look_again
from tuning.search.space import space_of, widest
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe
from tuning.workflow.trainer_process import run_trainer, trainer_environment

_REPLAY_PER_CORRECTION = 3
_MOST_RANK = 32
_THREADS = os.cpu_count() or 1


def main() -> None:
    options = parser().parse_args()
    go_offline()
    torch.set_num_threads(_THREADS)
    policy, queries = load_policy(), load_queries()
    judge = Judge(policy)
    dev = [query for query in queries if query.part is Part.DEV]
    traffic = [query for query in queries if query.part is Part.TRAFFIC]
    budget = parse_budget(options.budget)
    found: dict[str, list[Found]] = {DEFAULT: [], CHOSEN: []}
    for seed in range(options.seeds):
        data = history(judge, traffic, seed=seed, corrections=options.corrections)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            recipe = Recipe(**{**start(options.start), "seed": seed})
            began = time.perf_counter()
            adapters = searched(data, recipe, budget=budget, folder=folder)
            minutes = (time.perf_counter() - began) / 60
            for name, adapter in adapters.items():
                found[name].append(judge.judge(dev, adapter, minutes=minutes))
                show(f"seed {seed}: {name}", found[name][-1:])
    print(f"\nmeans over {options.seeds} seeds on {len(dev)} dev queries, in %")
    for name, results in found.items():
        show(name, results)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    found.add_argument("--corrections", type=int, default=300)
    found.add_argument("--budget", default="6m")
    found.add_argument("--seeds", type=int, default=3)
    found.add_argument("--start", choices=("demo", "untuned"), default="untuned")
    return found


def start(name: str) -> dict[str, Any]:
    """The recipe that would be used without a search."""
    if name == "untuned":
        return {}
    demo: dict[str, Any] = yaml.safe_load(ASSISTANT.read_text())["recipe"]
    return demo


def history(judge: Judge, traffic: Any, *, seed: int, corrections: int) -> Data:
    """Corrections, and as many accepted answers as a trial may want."""
    more = customers(judge, traffic, seed=seed, corrections=corrections * _REPLAY_PER_CORRECTION)
    return Data(more.corrections[:corrections], more.accepted)


def searched(data: Data, recipe: Recipe, *, budget: float, folder: Path) -> Mapping[str, Path]:
    """Search; returns the adapters of the default recipe and of the chosen one."""
    space = space_of(recipe, fixed=frozenset(), most_rank=_MOST_RANK)
    write(data, folder, held_out_share=widest(space).held_out_share, seed=recipe.seed)
    spec = Spec(
        assistant="bench",
        base_model=str(BASE),
        base_hash=base_hash(str(BASE)),
        dataset_id="ds",
        dataset_hash="0" * 64,
        dataset_folder=folder,
        parent=None,
        recipe=recipe,
        max_length=512,
        threads=_THREADS,
        accelerator_lock=folder / "lock",
    )
    job = JobFolder(folder / "job")
    job.write_spec(spec)
    kept = folder / DEFAULT

    def train(trial: JobFolder, check: Any) -> Path:
        return run_trainer(trial, threads=_THREADS, on_progress=lambda _: None, check=check)

    look = partial(
        look_again,
        folder=job,
        spec=spec,
        check=lambda: None,
        environment=trainer_environment(threads=_THREADS),
    )

    def look_and_keep(adapters: Mapping[str, Path], rows: Path) -> Mapping[str, Any]:
        shutil.copytree(adapters.get(DEFAULT, adapters[CHOSEN]), kept)
        return look(adapters, rows)

    means = Means(train, look_and_keep, lambda: None, lambda _: None)
    chosen = search(job, spec, space=space, budget=budget, means=means)
    told = read_manifest(chosen)["search"]
    print(table(trial_rows(told)), *sentences(told), to_keep(told) or "", sep="\n", flush=True)
    return {DEFAULT: kept, CHOSEN: chosen}


def write(data: Data, folder: Path, *, held_out_share: float, seed: int) -> None:
    """The dataset: some of both kinds held out."""
    rows: list[Row] = [
        *data.corrections,
        *(replace(row, source="accepted") for row in data.accepted),
    ]
    random.Random(seed).shuffle(rows)
    cut = int(held_out_share * len(rows))
    for name, part in ((HELD_OUT, rows[:cut]), (TRAIN, rows[cut:])):
        write_rows(folder / name, sorted(part, key=lambda row: row.id))


if __name__ == "__main__":
    main()
