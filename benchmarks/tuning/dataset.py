"""Cleaning and snapshot of a long history: time per step, memory, growth, and near-duplicates.

    python -m benchmarks.tuning.dataset [--sizes 10000,100000,1000000] [--processes 2]

For each size a database is filled (not counted), then a dataset is taken from it in a process of
its own: collected, cleaned, de-duplicated, split, written, published, registered. Printed: seconds
of processor time and rate per core of each step, seconds in all, and the most memory of all
processes together (proportional set size, so that shared pages count once). At the end how time and
memory grow, and the near-duplicate step beside datasketch's MinHashLSH on the same questions, one
core each.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import psutil

from benchmarks.tuning import dataset_corpus
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database

LIMIT_MB = 2048
COMPARED = 100_000
"""Questions for the comparison with datasketch at most: it keeps all signatures in memory."""
_LOOK_SECONDS = 0.2
_DATA = {"topic": "topic", "languages": ["en"]}


@click.command()
@click.option("--sizes", default="10000,100000,1000000", show_default=True)
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work; a temporary one.")
@click.option("--compare/--no-compare", default=True, help="The comparison with datasketch.")
@click.option("--json", "into", type=click.Path(path_type=Path), help="Keep all results here.")
@click.option("--take", type=click.Path(path_type=Path), hidden=True)
def main(
    sizes: str,
    processes: int,
    folder: Path | None,
    *,
    compare: bool,
    into: Path | None,
    take: Path | None,
) -> None:
    """Print the tables."""
    if take is not None:
        print(json.dumps(taken(take, processes=processes)))
        return
    wanted = [int(size) for size in sizes.split(",")]
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, {processes} processes")
    results: dict[str, Any] = {"cores": os.cpu_count(), "load": load, "sizes": []}
    with tempfile.TemporaryDirectory(dir=folder, prefix="understudy-bench-") as temporary:
        for size in wanted:
            results["sizes"].append(measured(Path(temporary), size, processes=processes))
        show_growth(results["sizes"])
        if compare:
            results["near"] = compared(Path(temporary), min(max(wanted), COMPARED))
    if into is not None:
        into.write_text(json.dumps(results, indent=2))


def measured(folder: Path, size: int, *, processes: int) -> dict[str, Any]:
    """Take a dataset of `size` examples in a process of its own, watching its memory."""
    home = folder / str(size)
    home.mkdir()
    started = time.perf_counter()
    database = Database(f"sqlite:///{home}/understudy.db")
    database.migrate()
    dataset_corpus.fill(database, size)
    database.close()
    filled = time.perf_counter() - started
    command = [sys.executable, "-m", "benchmarks.tuning.dataset", "--take", str(home)]
    child = subprocess.Popen(
        [*command, "--processes", str(processes)], stdout=subprocess.PIPE, text=True
    )
    most = 0
    watched = psutil.Process(child.pid)
    while child.poll() is None:
        most = max(most, memory_mb(watched))
        time.sleep(_LOOK_SECONDS)
    output = child.stdout.read() if child.stdout else ""
    if child.returncode:
        raise SystemExit(f"taking {size:,} examples ended with {child.returncode}")
    found: dict[str, Any] = {"size": size, "memory_mb": most, **json.loads(output)}
    show(found, filled=filled)
    shutil.rmtree(home)
    return found


def taken(home: Path, *, processes: int) -> dict[str, Any]:
    """Take the dataset; the card's figures, and seconds."""
    from tuning.dataset import snapshot
    from tuning.dataset.pipeline import Effort
    from tuning.training.recipe import OnLeak, Recipe

    database = Database(f"sqlite:///{home}/understudy.db")
    store = Artifacts(str(home / "artifacts"), cache=home / "artifacts")
    assistant = Assistant(
        name="support",
        system_prompt="You answer customers of Alder Bank.",
        base_model="none",
        cases=str(dataset_corpus.DEMO / "cases.jsonl"),
        data=_DATA,
    )
    order = snapshot.Order(
        assistant, Recipe(on_leak=OnLeak.DROP), effort=Effort(processes=processes)
    )
    started = time.perf_counter()
    made = snapshot.take(database, store, order, scratch=home / "scratch")
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "dataset": made.id,
        "counts": made.card["counts"],
        "sent_back": made.card["sent_back_to_review"],
        "steps": made.card["steps"],
    }


def memory_mb(process: psutil.Process) -> int:
    """Of a process and all that it started, in megabytes; shared pages count once."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                total += one.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    except psutil.NoSuchProcess:
        return 0
    return total >> 20


def show(found: dict[str, Any], *, filled: float) -> None:
    """Print the table of one size."""
    size, seconds = found["size"], found["seconds"]
    print(
        f"\n{size:,} examples (database filled in {filled:.0f} s): {seconds:.1f} s, "
        f"{size / seconds:,.0f} a second, at most {found['memory_mb']:,} MB; {found['dataset']}: "
        f"{found['counts']['train']:,} train, {found['counts']['held_out']:,} held out, "
        f"{found['sent_back']} sent back to review"
    )
    print(
        f"  {'step':34} {'given':>10} {'changed':>9} {'dropped':>9} {'core s':>8} {'a core s':>9}"
    )
    for step in found["steps"]:
        given = step["kept"] + step["dropped"]
        rate = f"{step['per_second_and_core']:,}" if step["per_second_and_core"] else ""
        print(
            f"  {step['name']:34} {given:10,} {step['changed']:9,} {step['dropped']:9,} "
            f"{step['seconds']:8.2f} {rate:>9}"
        )
    within = "within" if found["memory_mb"] < LIMIT_MB else "OVER"
    print(f"  memory: {found['memory_mb']:,} MB, {within} the limit of {LIMIT_MB:,} MB")


def show_growth(sizes: list[dict[str, Any]]) -> None:
    """Print how time and memory grow from each size to the next."""
    for one, other in pairwise(sizes):
        more = other["size"] / one["size"]
        longer = other["seconds"] / one["seconds"]
        print(
            f"\n{one['size']:,} → {other['size']:,}: {more:g} times as many, {longer:.1f} times as "
            f"long ({'no worse than' if longer <= more else 'WORSE than'} linear), "
            f"{other['memory_mb'] - one['memory_mb']:+,} MB"
        )


def compared(folder: Path, size: int) -> dict[str, float]:
    """The near-duplicate step and datasketch on the same questions, one core each."""
    from records.messages import Message, Role
    from tuning.dataset.nearness import Asked, asked

    texts = sorted(set(dataset_corpus.questions(size)))
    prompts = [asked([Message(Role.CUSTOMER, text)]) for text in texts]
    plain = [prompt.last for prompt in prompts]
    near_duplicates(prompts[:1000], folder / "warm")  # imports are no part of it
    datasketch_duplicates(plain[:100])
    started = time.process_time()
    ours = near_duplicates([Asked(last) for last in plain], folder / "near")
    own_seconds = time.process_time() - started
    started = time.process_time()
    theirs = datasketch_duplicates(plain)
    their_seconds = time.process_time() - started
    print(
        f"\nnear-duplicates among {len(plain):,} questions, one core each:\n"
        f"  this project, verified:       {own_seconds:7.1f} s, {ours:,} to be dropped\n"
        f"  datasketch's MinHashLSH (0.8): {their_seconds:6.1f} s, {theirs:,} have one like them\n"
        f"  {their_seconds / own_seconds:.1f} times as fast"
    )
    return {"seconds": own_seconds, "datasketch_seconds": their_seconds}


def near_duplicates(prompts: list[Any], folder: Path) -> int:
    """Signatures, bands, candidates, their verification and clusters, as the pipeline does it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tuning.dataset.cleaning import LESSONS, Task, keys_schema, with_signatures
    from tuning.dataset.crew import Crew
    from tuning.dataset.duplicates import cluster_prompts
    from tuning.dataset.nearness import hashes_of, signatures
    from tuning.dataset.options import DataOptions
    from tuning.dataset.scratch import NUMBER, keys_file, lessons_file
    from tuning.dataset.sheet import Sheet

    folder.mkdir()
    task = Task(Assistant(name="support", system_prompt="", base_model="none"), DataOptions())
    bands = task.bands
    if bands is None:
        raise SystemExit("nothing to compare")
    schema = keys_schema(bands).append(pa.field(NUMBER, pa.int32()))
    with pq.ParquetWriter(keys_file(folder), schema) as writer:
        for start in range(0, len(prompts), 512):
            part = prompts[start : start + 512]
            numbers = np.arange(start, start + len(part), dtype=np.int32)
            given = {
                "id": pa.array([f"{number:09d}" for number in numbers]),
                "source": pa.array(["import"] * len(part)),
                "prompt": pa.array(numbers, pa.uint64()),
                "answer": pa.array([1] * len(part), pa.uint64()),
                "last": pa.array([prompt.last for prompt in part]),
            }
            plain = keys_schema(None)
            columns = [given.get(f.name, pa.nulls(len(part), f.type)) for f in plain]
            keys = pa.RecordBatch.from_arrays(columns, schema=plain)
            found = signatures(part, bands)
            keys = with_signatures(keys, part, found, hashes_of(found, bands))
            columns = [*keys.columns, pa.array(numbers)]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    pq.write_table(LESSONS.empty_table(), lessons_file(folder))
    with Sheet(folder, threads=1) as sheet:
        cluster_prompts(sheet, Crew(task, processes=1), bands=bands, least=0.8)
        (dropped,) = sheet.one("SELECT count(*) - count(DISTINCT cluster) FROM clusters")
    return int(dropped)


def datasketch_duplicates(plain: list[str]) -> int:
    """How many questions have one before them that datasketch takes for nearly the same."""
    from datasketch import MinHash, MinHashLSH

    from records.likeness import groups

    index, found = MinHashLSH(threshold=0.8, num_perm=128), 0
    for number, text in enumerate(plain):
        signature = MinHash(num_perm=128)
        signature.update_batch([group.encode() for group in groups(text)])
        found += bool(index.query(signature))
        index.insert(number, signature)
    return found


if __name__ == "__main__":
    main()
