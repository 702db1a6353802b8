"""The servers that benchmarks compare: how each is started, and that it is gone afterwards."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from records.keys import local_key

ROOT = Path(__file__).resolve().parent.parent.parent
LITELLM_ENVIRONMENT = ROOT / ".venv-bench"
ON_DISK = Path("/var/tmp")
"""Temporary, but never in memory as /tmp may be: there, writing durably would cost nothing."""
_TIED = ROOT / "serving" / "tied_process.py"
_READY_SECONDS = 240
_STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Server:
    """A server's command, and what clients need to know of it."""

    name: str
    command: tuple[str, ...]
    url: str
    ready: str
    """The path that answers 200 once the server can work."""
    folder: Path
    """Its working folder and the place of its log."""
    key: str = "none"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for a benchmark's servers; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-", dir=ON_DISK) as name:
        yield Path(name)


def stub(folder: Path) -> Server:
    """The stub engine."""
    port = free_port()
    return _python("stub", "benchmarks.serving.stub_engine", str(port), port=port, folder=folder)


def relay(folder: Path, engine_url: str, *, in_bytes: bool = False) -> Server:
    """The bare relay: FastAPI and aiohttp, nothing recorded."""
    port = free_port()
    name, options = ("byte relay", ["bytes"]) if in_bytes else ("relay", [])
    command = (str(port), engine_url, *options)
    return _python(name, "benchmarks.serving.relay", *command, port=port, folder=folder)


def gateway(
    folder: Path,
    engine_url: str,
    *,
    database_url: str = "",
    settings: Mapping[str, str] | None = None,
) -> Server:
    """`understudy serve` with its defaults, in a fresh home; it records every turn."""
    home = folder / "home"
    port = free_port()
    environment = {
        "UNDERSTUDY_HOME": str(home),
        "UNDERSTUDY_PORT": str(port),
        "UNDERSTUDY_ENGINE_URLS": engine_url,
        "UNDERSTUDY_DATABASE_URL": database_url or f"sqlite:///{home / 'understudy.db'}",
        **(settings or {}),
    }
    return _python(
        "gateway", "records.cli", "serve", port=port, folder=folder, ready="/health/ready",
        key=local_key(home, "customer"), environment=environment,
    )  # fmt: skip


def engine(folder: Path) -> Server:
    """The real vLLM with the bundled base model, as `understudy engine` starts it."""
    port = free_port()
    environment = {"UNDERSTUDY_ENGINE_PORT": str(port), "UNDERSTUDY_HOME": str(folder)}
    return _python(
        "engine", "records.cli", "engine", port=port, folder=folder, environment=environment
    )


def litellm(folder: Path, engine_url: str) -> Server:
    """LiteLLM's proxy with its defaults: one worker, no database."""
    port, key = free_port(), f"sk-{secrets.token_hex(24)}"
    model = {"model": "openai/support-base", "api_base": f"{engine_url}/v1", "api_key": "none"}
    config = folder / "litellm.yaml"
    config.write_text(
        yaml.safe_dump({"model_list": [{"model_name": "support", "litellm_params": model}]})
    )
    program = str(LITELLM_ENVIRONMENT / "bin" / "litellm")
    return Server(
        name="LiteLLM",
        command=(program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)),
        url=f"http://127.0.0.1:{port}",
        ready="/health/liveliness",
        folder=folder,
        key=key,
        # It refuses to start without a key, and fetches prices from the network unless told not to.
        environment={"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )


def _python(
    name: str,
    module: str,
    *arguments: str,
    port: int,
    folder: Path,
    ready: str = "/health",
    key: str = "none",
    environment: Mapping[str, str] | None = None,
) -> Server:
    paths = {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", module, *arguments)
    url = f"http://127.0.0.1:{port}"
    return Server(name, command, url, ready, folder, key, {**paths, **(environment or {})})


@contextmanager
def running(server: Server) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a server, wait until it is ready, and end it with all its children."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("UNDERSTUDY_")}
    dying_with_us = (sys.executable, "-P", str(_TIED), str(os.getpid()))
    with server.log.open("ab") as output:
        process = subprocess.Popen(
            (*dying_with_us, *server.command),
            env={**ours, **server.environment},
            cwd=server.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, process)
        yield process
    finally:
        _stop(process)


def _wait_until_ready(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(server.url + server.ready, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    tail = server.log.read_text(errors="replace")[-2000:]
    raise SystemExit(f"{server.name} did not start. The end of what it printed:\n{tail}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
