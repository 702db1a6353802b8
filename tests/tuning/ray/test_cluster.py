"""Training on a real Ray cluster of several nodes on this machine: same result, nothing lost."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from records.adapters import Limits, adapter_name, base_hash, check_servable, read_manifest
from records.engine import Engine
from records.proof import Servable, load_and_prove
from tests.tuning.build import BASE
from tests.tuning.engine import ProvingEngine
from tests.tuning.ray.bucket import bucket
from tests.tuning.ray.cluster import Cluster, running, wait_until
from tests.tuning.training.test_train import job, rows, trained
from tuning.ray.settings import Backend
from tuning.training.job_folder import END_WITH_STDIN, JobFolder
from tuning.workflow.trainer_process import TRAINERS, run_trainer, trainer_environment

pytestmark = pytest.mark.alone
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
_WORKER = re.compile(r"worker (\d+): on host \S+, process (\d+)")


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[str, dict[str, str]]]:
    """An S3 bucket, and what whoever uses it must have in its environment."""
    with bucket() as (url, endpoint, keys):
        yield url, {**keys, "UNDERSTUDY_ARTIFACTS_ENDPOINT": endpoint}


@pytest.fixture(scope="module")
def cluster(store: tuple[str, dict[str, str]]) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # sockets want short names
    environment = trainer_environment(threads=1) | store[1] | TOKEN
    with running(folder, environment, nodes=3) as found:
        yield found


def as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"UNDERSTUDY_{name.upper()}": value for name, value in settings.items()}


class Training:
    """The process that trains a job's folder on a cluster."""

    def __init__(self, made: JobFolder, **settings: str) -> None:
        self.made = made
        with made.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tuning.ray.train", str(made.path), END_WITH_STDIN],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=trainer_environment(threads=1) | TOKEN | as_environment(settings),
            )

    def workers(self) -> dict[int, int]:
        """The newest process of each worker by its rank."""
        told = _WORKER.findall(self.made.log.read_text())
        return {int(rank): int(pid) for rank, pid in told}

    def finish(self, *, seconds: float = 240) -> None:
        code = self.process.wait(seconds)
        assert code == 0, self.made.log.read_text()[-3000:]
        self.let_go()

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def steps(self) -> list[int]:
        lines, _ = self.made.read_progress()
        return [line["step"] for line in lines if "step" in line]

    def stages(self) -> list[str]:
        lines, _ = self.made.read_progress()
        return [line["stage"] for line in lines]

    def resumed(self) -> list[int]:
        lines, _ = self.made.read_progress()
        return [line["resumed_at"] for line in lines if "resumed_at" in line]


def settings(cluster: Cluster, home: Path, **more: str) -> dict[str, str]:
    used = {"home": str(home), "ray_address": cluster.address, "ray_scratch": str(home / "scratch")}
    return {**used, "ray_workers": "3", **more}


def a_job(home: Path, **options: Any) -> JobFolder:
    return job(home / "jobs" / "one", precision="float32", checkpoint_steps=4, **options)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_three_workers_make_the_adapter_of_one_and_it_passes_the_same_proof(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = trained(job(tmp_path / "alone", precision="float32", checkpoint_steps=4))
    made, told = a_job(tmp_path / "home"), list[Mapping[str, Any]]()
    for name, value in {**TOKEN, **as_environment(settings(cluster, tmp_path / "home"))}.items():
        monkeypatch.setenv(name, value)
    run_trainer(
        made,
        threads=1,
        on_progress=told.append,
        check=lambda: None,
        command=TRAINERS[Backend.RAY],
    )
    assert {"step", "steps", "held_out_loss", "tokens_per_second"} <= set().union(*told)
    assert told[-1]["workers"] == 3
    together = read_manifest(made.adapter)
    assert together["workers"] == 3
    assert set(together) == {*alone, "workers"}
    for key in ("base_model", "base_hash", "dataset_hash", "recipe", "mask"):
        assert together[key] == alone[key]
    for metric in ("trained_tokens", "steps", "best_step", "examples"):
        assert together["metrics"][metric] == alone["metrics"][metric]
    for metric in ("held_out_loss", "loss"):
        assert together["metrics"][metric] == pytest.approx(alone["metrics"][metric], rel=1e-3)
    base, limits = str(BASE), Limits(max_rank=8)
    check_servable(made.adapter, base_model=base, base_hash=base_hash(base), limits=limits)
    named = made.adapter.rename(tmp_path / adapter_name("support", made.adapter))
    asyncio.run(_prove(named))
    left = list((tmp_path / "home" / "artifacts" / "trainings").rglob("*.*"))
    assert left == []
    assert list((tmp_path / "home" / "scratch").glob("*/*")) == []


async def _prove(named: Path) -> None:
    served = ProvingEngine("support-base", base_model=str(BASE))
    await served.start()
    try:
        async with Engine(served.url) as engine:
            wanted = Servable(str(BASE), base_hash(str(BASE)), Limits(max_rank=8))
            await load_and_prove(engine, named, wanted)
    finally:
        await served.stop()


def test_a_lost_worker_and_a_lost_node_cost_no_more_than_the_steps_since_the_last_checkpoint(
    cluster: Cluster, store: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, keys = store
    made = a_job(tmp_path / "home", epochs=16)
    more = {
        "artifacts_url": url,
        "ray_workers": "2",
        "ray_resources": "pool=1",
        "ray_wait_seconds": "5",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        training = Training(made, **settings(cluster, tmp_path / "home", **more))
        wait_until(lambda: max(training.steps(), default=0) >= 8, seconds=180)
        os.kill(training.workers()[1], signal.SIGKILL)
        wait_until(lambda: len(training.resumed()) == 1, seconds=180)
        begun_again = training.resumed()[0]
        assert begun_again >= 4
        wait_until(lambda: training.steps()[-1] >= begun_again + 8, seconds=180)
        cluster.kill_node("node2")
        training.finish(seconds=300)
    first, second = training.resumed()
    assert second >= first + 4
    manifest = read_manifest(made.adapter)
    assert manifest["workers"] == 1
    assert manifest["metrics"]["steps"] == 16 * 48 // 8
    cluster.add_node("node3", pool=True)


def test_a_cancelled_training_leaves_the_cluster_at_once_and_goes_on_when_asked_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    made = a_job(tmp_path / "home", epochs=40)
    training = Training(made, **settings(cluster, tmp_path / "home", ray_workers="2"))
    wait_until(lambda: max(training.steps(), default=0) >= 8, seconds=180)
    workers = list(training.workers().values())
    assert len(workers) == 2
    training.let_go()
    wait_until(lambda: training.process.poll() is not None, seconds=10)
    wait_until(lambda: all(map(is_gone, workers)), seconds=20)
    again = Training(made, **settings(cluster, tmp_path / "home", ray_workers="2"))
    wait_until(lambda: len(again.resumed()) == 1, seconds=180)
    again.process.kill()  # kill -9: the cluster notices by itself
    workers = list(again.workers().values())
    again.process.wait(30)
    wait_until(lambda: all(map(is_gone, workers)), seconds=20)
    again.let_go()


def test_a_recipe_that_fails_is_told_and_not_begun_again(cluster: Cluster, tmp_path: Path) -> None:
    bare = [replace(row, rejected=None) for row in rows(8)]
    made = a_job(tmp_path / "home", train=bare, method="dpo")
    training = Training(made, **settings(cluster, tmp_path / "home", ray_workers="2"))
    assert training.process.wait(180) == 1
    training.let_go()
    told = json.loads((made.path / "error.json").read_text())["message"]
    assert told.startswith("method: dpo trains on pairs")
    assert "cut off" not in made.log.read_text()


_CONNECT = """
import os, sys, ray
if len(sys.argv) > 2:
    ray.__version__ = sys.argv[2]
from records.errors import ConfigurationError
from tuning.ray.connection import connected
try:
    with connected(sys.argv[1]):
        print("connected")
except ConfigurationError as error:
    print(error)
"""


def test_other_versions_and_a_missing_token_are_sentences(cluster: Cluster) -> None:
    def told(*arguments: str, **environment: str) -> str:
        command = [sys.executable, "-c", _CONNECT, *arguments]
        full = trainer_environment(threads=1) | environment
        return subprocess.run(command, env=full, capture_output=True, text=True, check=True).stdout

    direct = f"127.0.0.1:{cluster.ports[0]}"
    for address in (cluster.address, direct):
        mismatch = told(address, "2.59.0", **TOKEN)
        assert "runs other versions than this machine" in mismatch
        assert "Ray: 2.59.0" in mismatch
    assert "connected" in told(direct, **TOKEN)
    assert "RAY_AUTH_TOKEN_PATH" in told(direct, RAY_AUTH_MODE="disabled")


def test_a_cluster_that_is_lost_whole_is_gone_on_with_and_one_worker_makes_the_same_bytes(
    tmp_path: Path,
) -> None:
    alone = job(tmp_path / "alone", precision="float32", checkpoint_steps=4, epochs=10)
    trained(alone)
    made = a_job(tmp_path / "home", epochs=10)
    environment = trainer_environment(threads=1) | TOKEN
    first = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    with running(first, environment, nodes=1) as cluster:
        more = {"ray_workers": "1", "ray_wait_seconds": "60"}
        training = Training(made, **settings(cluster, tmp_path / "home", **more))
        wait_until(lambda: max(training.steps(), default=0) >= 8, seconds=60)
        cluster.stop()
        wait_until(lambda: "looking for the cluster again" in training.stages(), seconds=60)
        with running(first / "again", environment, nodes=1, ports=cluster.ports):
            training.finish()
    assert training.resumed()[0] >= 4
    assert adapter_name("support", made.adapter) == adapter_name("support", alone.adapter)
