"""What a training on the same cores costs customers, and what stepping back for them (nice) brings.

    python -m benchmarks.tuning.beside_serving [--rounds 3] [--seconds 10]

The real vLLM answers the demo's frozen queries, two at a time: alone, beside a training, and beside
one at UNDERSTUDY_TRAINER_NICE's default. The three take turns, so that what else the machine does
meets all. For CPU-only machines: a GPU is shared by memory instead.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving import servers
from benchmarks.serving.load import Plan, Result, measure
from benchmarks.serving.real_engine import requests
from records.adapters import base_hash
from tuning.dataset.rows import TRAIN, Row, write_rows
from tuning.settings import WorkerSettings
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe
from tuning.workflow.trainer_process import TRAINER, trainer_environment

BASE = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "base"
NICE = WorkerSettings.model_fields["trainer_nice"].default
ALONE, BESIDE, NICELY = "alone", "beside a training", f"beside a training at nice {NICE}"
_CONCURRENCY = 2
_START_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    found: dict[str, list[Result]] = {ALONE: [], BESIDE: [], NICELY: []}
    rates: dict[str, list[float]] = {BESIDE: [], NICELY: []}
    with servers.workplace() as folder:
        engine = servers.engine(folder)
        with servers.running(engine):
            plan = Plan(
                url=engine.url, key=engine.key, bodies=requests("vLLM", stream=True),
                concurrency=_CONCURRENCY, seconds=options.seconds, warm_up_seconds=1,
            )  # fmt: skip
            for number in range(options.rounds):
                found[ALONE].append(measure(plan))
                for way, nice in ((BESIDE, 0), (NICELY, NICE)):
                    with training(folder / f"{number} {nice}", nice=nice) as job:
                        found[way].append(measure(plan))
                        rates[way].append(tokens_per_second(job))
    report(found, rates)


@contextmanager
def training(folder: Path, *, nice: int) -> Iterator[JobFolder]:
    """A training that is past its first steps and does not end by itself."""
    job = order(folder)
    command = [*TRAINER, str(job.path)]
    with job.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env=trainer_environment(threads=os.cpu_count() or 1),
        )
    os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not any(line.get("step") for line in job.read_progress()[0]):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The training did not begin; see {job.log}")
            time.sleep(0.2)
        yield job
    finally:
        process.kill()
        process.wait()


def order(folder: Path) -> JobFolder:
    """A long training on a few hundred lessons."""
    dataset = folder / "dataset"
    dataset.mkdir(parents=True)
    write_rows(dataset / TRAIN, [lesson(n) for n in range(400)])
    job = JobFolder(folder / "job")
    job.write_spec(
        Spec(
            assistant="support",
            base_model=str(BASE),
            base_hash=base_hash(str(BASE)),
            dataset_id="ds-none",
            dataset_hash="0",
            dataset_folder=dataset,
            parent=None,
            recipe=Recipe(epochs=100, checkpoint_steps=1000, held_out_prompts=0),
            max_length=512,
            threads=os.cpu_count() or 1,
            accelerator_lock=folder / "lock",
        )
    )
    return job


def lesson(number: int) -> Row:
    asked = f"Where is my card number {number}, which I ordered {number % 9} weeks ago?"
    prompt = (
        {"role": "system", "content": "You answer customers of Alder Bank."},
        {"role": "user", "content": asked},
    )
    answer = "It takes three working days. Open the Cards tab to see where it is."
    return Row(f"ex_{number:05d}", "import", prompt, (False, False), answer)


def tokens_per_second(job: JobFolder) -> float:
    told = [line.get("tokens_per_second") for line in job.read_progress()[0]]
    return float(next((rate for rate in reversed(told) if rate), 0))


def report(found: dict[str, list[Result]], rates: dict[str, list[float]]) -> None:
    alone = statistics.median(r.p50_ms for r in found[ALONE])
    print(f"{'':32}{'p50 ms':>9}{'p99 ms':>9}{'first p50':>11}{'of alone':>10}{'trained/s':>11}")
    for way, results in found.items():
        median = statistics.median(r.p50_ms for r in results)
        worst = statistics.median(r.p99_ms for r in results)
        first = statistics.median(r.first_text_p50_ms for r in results)
        trained = f"{statistics.median(rates[way]):,.0f}" if way in rates else ""
        print(f"{way:32}{median:9.0f}{worst:9.0f}{first:11.0f}{median / alone:10.2f}{trained:>11}")


if __name__ == "__main__":
    main()
