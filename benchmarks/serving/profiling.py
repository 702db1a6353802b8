"""Where the gateway's time goes: py-spy on it under load, added up by part and by file.

Counted is the time in which a thread holds the interpreter's lock, for that is what requests share;
the database's own work and waiting for the disk happen beside it.
Command: python -m benchmarks.serving.profiling
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.serving import figures, servers
from benchmarks.serving.load import Plan, measure
from benchmarks.serving.servers import LITELLM_ENVIRONMENT, ROOT
from benchmarks.serving.throughput import BODY

_SAMPLES_PER_SECOND = 200
_WARM_UP_SECONDS = 3
_PARTS = (
    ("json, orjson", r"/json/|orjson"),
    ("logging", r"/logging/|structlog"),
    ("metrics, tracing", r"prometheus|opentelemetry"),
    ("database driver and SQLAlchemy", r"/sqlalchemy/|sqlite|psycopg|libpq"),
    ("uvicorn and httptools (clients' side)", r"/uvicorn/|httptools"),
    ("FastAPI and Starlette", r"/fastapi/|/starlette/"),
    ("aiohttp (engines' side)", r"/aiohttp/|/yarl/|/multidict/|/frozenlist/|/propcache/|aiosignal"),
    ("pydantic", r"/pydantic"),
    ("event loop, sockets", r"/asyncio/|uvloop|libc[.-]|selectors"),
    ("interpreter, its collector", r"libpython|cpython"),
    ("threads and queues", r"/threading\.py|/queue\.py|/concurrent/"),
)
"""The first pattern that fits a frame's file names its part; our own files are parts themselves."""
_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(:\d+)?\)$")
_THREAD = re.compile(r"thread \(\S+\): ?(?P<name>.*)")


@dataclass(frozen=True, slots=True)
class Sample:
    """A stack that was seen `count` times."""

    thread: str
    function: str
    """The innermost, where the time was spent."""
    file: str
    count: int


@click.command()
@click.option("--seconds", default=10, show_default=True)
@click.option("--concurrency", default=16, show_default=True)
@click.option("--stream", is_flag=True, help="Ask for streamed answers of 200 chunks.")
@click.option("--native", is_flag=True, help="Also look into C and Cython code (slower).")
@click.option("--everything", is_flag=True, help="Also time without the interpreter's lock: waits.")
@click.option("--lines", default=15, show_default=True, help="Rows of each table.")
@click.option("--raw", type=click.Path(path_type=Path), help="Keep py-spy's stacks there.")
def main(
    *, seconds: int, concurrency: int, stream: bool, native: bool, everything: bool, lines: int,
    raw: Path | None,
) -> None:  # fmt: skip
    """Profile the gateway before the stub engine."""
    spy = _py_spy()
    with servers.workplace() as folder:
        stacks = raw or folder / "stacks"
        stub = servers.stub(folder)
        gateway = servers.gateway(folder, stub.url)
        plan = Plan(
            url=gateway.url, key=gateway.key, bodies=[{**BODY, "stream": stream}],
            concurrency=concurrency, seconds=seconds, warm_up_seconds=_WARM_UP_SECONDS,
        )  # fmt: skip
        with (
            servers.running(stub),
            servers.running(gateway) as process,
            ThreadPoolExecutor(1) as threads,
        ):
            asking = threads.submit(measure, plan)
            command = [
                spy, "record", "--pid", str(process.pid), "--duration", str(seconds),
                "--rate", str(_SAMPLES_PER_SECOND), "--format", "raw", "--output", str(stacks),
                "--threads", "--full-filenames", "--nolineno", *([] if everything else ["--gil"]),
                *(["--native"] if native else []),
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            result = asking.result()
        if done.returncode != 0:
            raise SystemExit(f"py-spy failed:\n{done.stderr[-1000:]}")
        samples = list(read(stacks))
    click.echo(f"{result.per_second:.0f} requests/s under the profiler\n")
    report(samples, lines=lines)


def _py_spy() -> str:
    near = LITELLM_ENVIRONMENT / "bin" / "py-spy"
    found = str(near) if near.exists() else shutil.which("py-spy")
    if found is None:
        raise SystemExit(
            "py-spy is missing. It comes with LiteLLM's environment: "
            "python -m benchmarks.serving.litellm_environment"
        )
    return found


def read(stacks: Path) -> Iterator[Sample]:
    """Samples of py-spy's raw format: frames from the outermost on, then how often."""
    for line in stacks.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        first, *inner = frames.split(";")
        thread = _THREAD.match(first)
        innermost = _FRAME.match(inner[-1] if inner else first)
        yield Sample(
            thread=thread["name"] if thread else "other",
            function=innermost["function"] if innermost else frames[-80:],
            file=innermost["file"] if innermost else "",
            count=int(count),
        )


def part_of(file: str) -> str:
    """The part of the gateway that a file belongs to."""
    if file.startswith(str(ROOT)) and "/.venv/" not in file:
        return file.removeprefix(f"{ROOT}/")
    return next((part for part, pattern in _PARTS if re.search(pattern, file)), "other libraries")


def report(samples: list[Sample], *, lines: int) -> None:
    """Print the shares of all samples by thread, by part, and by function."""
    whole = sum(sample.count for sample in samples)
    views: list[tuple[str, Callable[[Sample], tuple[str, ...]]]] = [
        ("thread", lambda s: (s.thread,)),
        ("thread, part", lambda s: (s.thread, part_of(s.file))),
        ("thread, file, function", lambda s: (s.thread, _short(s.file), s.function)),
    ]
    for title, key in views:
        counts: Counter[tuple[str, ...]] = Counter()
        for sample in samples:
            counts[key(sample)] += sample.count
        rows = [[f"{n / whole:.1%}", *names] for names, n in counts.most_common(lines)]
        click.echo(figures.table(["share", *title.split(", ")], rows) + "\n")


def _short(file: str) -> str:
    return re.sub(r".*/(site-packages|lib/python3\.\d+)/", "", file).removeprefix(f"{ROOT}/")


if __name__ == "__main__":
    main()
