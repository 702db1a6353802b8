"""A Ray cluster of several nodes on this machine: a head without work, and nodes of a core each."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import free_port

_RAY = str(Path(sys.executable).parent / "ray")
_STORE_BYTES = "80000000"


@dataclass
class Cluster:
    """Started by `ray start`, in processes of its own."""

    folder: Path
    environment: Mapping[str, str]
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))

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
        for pid in self._processes(lambda line: str(self.folder) in line):
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
            if chosen(line) and str(self.folder) in line and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        return found


@contextmanager
def running(folder: Path, environment: Mapping[str, str], *, nodes: int) -> Iterator[Cluster]:
    """A cluster for a while."""
    cluster = Cluster(folder, environment)
    try:
        cluster.start(nodes=nodes)
        yield cluster
    finally:
        cluster.stop()


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
