"""A Ray cluster of several nodes on this machine: a head without work, and nodes of a core each."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_RAY = str(Path(sys.executable).parent / "ray")
_STORE_BYTES = "80000000"


@dataclass
class Cluster:
    """Started by `ray start`, in processes of its own."""

    folder: Path
    environment: Mapping[str, str]
    ports: tuple[int, int]
    """Of the head itself, and of its server for clients."""

    @property
    def address(self) -> str:
        """For Ray's client."""
        return f"ray://127.0.0.1:{self.ports[1]}"

    def start(self, *, nodes: int) -> None:
        self._ray(
            *("--head", f"--port={self.ports[0]}", f"--ray-client-server-port={self.ports[1]}"),
            *("--num-cpus=0", "--include-dashboard=false", f"--temp-dir={self.folder}"),
        )
        for number in range(nodes):
            self.add_node(f"node{number}", pool=number > 0)

    def add_node(self, name: str, *, pool: bool) -> None:
        """`pool`: it is one of those that offer the resource of this name."""
        offers = json.dumps({name: 1, "pool": 1} if pool else {name: 1})
        address = f"--address=127.0.0.1:{self.ports[0]}"
        self._ray(address, "--num-cpus=1", f"--resources={offers}")

    def kill_node(self, name: str) -> None:
        """As if its power was cut; its workers die with it."""
        (raylet,) = self._processes(lambda line: "raylet/raylet" in line and f"{name},1" in line)
        os.kill(raylet, signal.SIGKILL)

    def stop(self) -> None:
        """As if the power of all was cut."""
        found = self._processes(lambda _: True)
        for pid in [*found, *(child for parent in found for child in _children(parent))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _ray(self, *arguments: str) -> None:
        command = [_RAY, "start", *arguments, f"--object-store-memory={_STORE_BYTES}"]
        with (self.folder / "start.log").open("a+") as log:
            done = subprocess.run(
                [*command, "--node-ip-address=127.0.0.1", "--disable-usage-stats"],
                check=False,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
            )
        assert done.returncode == 0, (self.folder / "start.log").read_text()[-3000:]

    def _processes(self, chosen: Callable[[str], bool]) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            ours = str(self.folder) in line or f":{self.ports[0]} --host" in line
            if ours and chosen(line):
                found.append(int(path.parent.name))
        return found


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in told.split()]


def _port() -> int:
    """A free port that no outgoing connection takes while its cluster is down for a moment."""
    while True:
        chosen = random.randrange(20_100, 32_000)  # above Ray's own, below Linux's
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", chosen))
            return chosen


@contextmanager
def running(
    folder: Path,
    environment: Mapping[str, str],
    *,
    nodes: int,
    ports: tuple[int, int] | None = None,
) -> Iterator[Cluster]:
    """A cluster for a while."""
    folder.mkdir(exist_ok=True)
    cluster = Cluster(folder, environment, ports or (_port(), _port()))
    try:
        cluster.start(nodes=nodes)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
