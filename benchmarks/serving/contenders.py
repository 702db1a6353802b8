"""What is compared, each started alone before the same stub engine, and then ended."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.serving import postgres, servers
from benchmarks.serving.load import Result
from benchmarks.serving.recorded import require_recorded
from benchmarks.serving.servers import Server

_OTHERS: dict[str, Callable[[Path, str], Server]] = {
    "LiteLLM": servers.litellm,
    "relay": servers.relay,
    "byte relay": partial(servers.relay, in_bytes=True),
}
NAMES = (*_OTHERS, "gateway")


@dataclass(slots=True)
class Stage:
    """Starts contenders, and checks the gateway's records when it has ended."""

    folder: Path
    postgres_url: str | None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def play(
        self, name: str, engine_url: str, ask: Callable[[Server], list[Result]]
    ) -> list[Result]:
        """Start a contender, let `ask` question it, end it; the gateway's turns are counted.

        Raises:
            SystemExit: an answer of the gateway was not recorded, or recorded twice.
        """
        folder = self.folder / f"{next(self._numbers)}-{name.replace(' ', '-')}"
        folder.mkdir()
        if name == "gateway":
            return self._gateway(folder, engine_url, ask)
        server = _OTHERS[name](folder, engine_url)
        with servers.running(server):
            return _told(server, ask(server))

    def _gateway(
        self, folder: Path, engine_url: str, ask: Callable[[Server], list[Result]]
    ) -> list[Result]:
        database = ""
        if self.postgres_url:
            database = postgres.new_database(self.postgres_url, folder.name)
        server = servers.gateway(folder, engine_url, database_url=database)
        with servers.running(server):
            results = _told(server, ask(server))
        require_recorded(server, results)
        return results


def _told(server: Server, results: list[Result]) -> list[Result]:
    """Show what a server printed at last where requests failed: its folder will be gone."""
    if any(result.failures for result in results):
        tail = server.log.read_text(errors="replace")[-2000:]
        print(f"Requests to {server.name} failed. The end of what it printed:\n{tail}")
    return results


@contextmanager
def stage(folder: Path, *, on_postgres: bool) -> Iterator[Stage]:
    """A stage in `folder`, with a PostgreSQL of its own where asked for."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.cluster()) if on_postgres else None
        yield Stage(folder, url)
