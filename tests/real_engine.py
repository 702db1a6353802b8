"""One real vLLM for a test session, started as `understudy engine` starts it."""

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from records.assistant import Assistant, EngineOptions
from serving.engine_process import engine_command, engine_uses_gpu

BUNDLED_BASE = Path(__file__).resolve().parent.parent / "deploy" / "demo" / "base"
_START_SECONDS = 240


@dataclass(frozen=True)
class RealEngine:
    """A running engine, its own copy of the base model, and the assistant it serves."""

    url: str
    base: Path
    assistant: Assistant
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> None:
        """End it by its pid; vLLM may hang at SIGTERM, so not for long."""
        for number, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 30)):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue


BUNDLED_OPTIONS = EngineOptions(
    max_model_len=512, dtype="float32", max_lora_rank=32, kv_cache_memory="128M"
)


def start_engine(
    folder: Path,
    *,
    port: int,
    base: Path = BUNDLED_BASE,
    options: EngineOptions = BUNDLED_OPTIONS,
) -> RealEngine:
    """Start vLLM on a copy of `base` in `folder` and wait until it answers."""
    own = folder / "base"
    shutil.copytree(base, own)
    assistant = Assistant(
        name="support",
        system_prompt="You answer customers of Alder Bank.",
        base_model=str(own),
        engine=options,
    )
    command = engine_command(
        [assistant], port=port, gpu=engine_uses_gpu(), cores=os.cpu_count() or 1
    )
    log = folder / "engine.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.arguments,
            env={**os.environ, **command.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    engine = RealEngine(f"http://127.0.0.1:{port}", own, assistant, process, log)
    try:
        _wait(engine)
    except BaseException:
        engine.stop()
        raise
    return engine


def _wait(engine: RealEngine) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if engine.process.poll() is not None:
            raise AssertionError(f"vLLM ended: {engine.log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{engine.url}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"vLLM did not start: {engine.log.read_text()[-3000:]}")
