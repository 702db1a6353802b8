"""Promotions, roll-backs and experiments under load: what fails, and how soon all have switched.

Two gateway processes on one database stand before one engine that proves and loads adapters, and
16 customers ask all the time. Changes are made by the admin API of one gateway and, every other
time, as the commands make them: on the database, by another process. A switch is counted by what
customers get, from the moment before it is asked for: until the last question that the version
before still answered was asked (`last by the old`), and until the first question from which on
both processes answered by the new one (`all by the new`, which includes any pause of the disk).
Command: python -m benchmarks.serving.switching
"""

import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import click
import orjson
import yaml

from benchmarks.serving import figures, postgres, servers
from benchmarks.serving.servers import Server
from records import experiments, versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.experiments import Side
from records.keys import local_key
from tests.stub_engine import StubEngine, add_version, publish_adapter

CUSTOMERS = 16
BASE = "support-base"
_PAUSE_SECONDS = 0.005
_IN_A_ROW = 8
_PATIENCE_SECONDS = 30
_EXPERIMENT_EVERY = 5

Body = dict[str, Any]
Command = Callable[[Any], Any]

_ASSISTANT = Assistant(name="support", system_prompt="You answer.", base_model="some/base")


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer's request: which gateway, when it began, and which version answered."""

    url: str
    began: float
    version: str


@dataclass(slots=True)
class Tally:
    """What customers met."""

    answers: list[Asked] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Change:
    """A promotion or roll-back, from when it was asked for until something else was."""

    kind: str
    by: str
    to: str
    began: float
    until: float = float("inf")


@dataclass(frozen=True, slots=True)
class Switch:
    """How soon all gateways had followed a change, in seconds."""

    kind: str
    by: str
    last_by_old: float
    all_by_new: float


@click.command()
@click.option("--rounds", default=100, show_default=True, help="Promotions with a roll-back each.")
@click.option("--postgres", "on_postgres", is_flag=True, help="PostgreSQL instead of SQLite.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all results there.")
@click.option("--engine", "port", type=int, hidden=True, help="Be the engine, on this port.")
def main(*, rounds: int, on_postgres: bool, file: Path | None, port: int | None) -> None:
    """Change what serves, again and again, while customers ask."""
    if port is not None:
        asyncio.run(_be_engine(port))
        return
    figures.warn_if_busy()
    with (
        servers.workplace() as folder,
        postgres.cluster() if on_postgres else nullcontext(f"sqlite:///{folder}/bench.db") as url,
    ):
        tally, changes = _measure(folder, url, rounds=rounds)
    switches = [switch_of(change, tally.answers) for change in changes]
    report(tally, switches)
    if file is not None:
        results = {"machine": figures.machine(), "failures": tally.failures, "switches": switches}
        file.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    if tally.failures:
        raise SystemExit(1)


def _measure(folder: Path, database_url: str, *, rounds: int) -> tuple[Tally, list[Change]]:
    engine_port = servers.free_port()
    engine = Server(
        name="engine",
        command=(
            sys.executable,
            "-m",
            "benchmarks.serving.switching",
            "--engine",
            str(engine_port),
        ),
        url=f"http://127.0.0.1:{engine_port}",
        ready="/health",
        folder=folder,
        environment={"PYTHONPATH": str(servers.ROOT)},
    )
    assistants = folder / "assistants"
    assistants.mkdir()
    fields = {"name", "system_prompt", "base_model"}
    (assistants / "support.yaml").write_text(yaml.safe_dump(_ASSISTANT.model_dump(include=fields)))
    settings = {"UNDERSTUDY_ASSISTANTS": str(assistants), "UNDERSTUDY_LOG_LEVEL": "warning"}
    with ExitStack() as stack:
        stack.enter_context(servers.running(engine))
        gateways = []
        for number in (1, 2):
            gateway = servers.gateway(
                folder, engine.url, database_url=database_url, settings=settings
            )
            gateways.append(replace(gateway, name=f"gateway {number}"))
            stack.enter_context(servers.running(gateways[-1]))
        database = Database(database_url)
        try:
            return asyncio.run(Trial(folder / "home", database, gateways).run(rounds))
        finally:
            database.close()


async def _be_engine(port: int) -> None:
    async with StubEngine(BASE, port=port):
        await asyncio.Event().wait()


class Trial:
    """Customers, and somebody who changes things under them."""

    def __init__(self, home: Path, database: Database, gateways: Sequence[Server]) -> None:
        """Publish two versions to change between."""
        self._database = database
        self._urls = [gateway.url for gateway in gateways]
        self._keys = {name: local_key(home, name) for name in ("customer", "admin")}
        artifacts = Artifacts(str(home / "artifacts"), cache=home / "cache")
        self._names = [
            add_version(database, _ASSISTANT, publish_adapter(artifacts, _ASSISTANT, seed=seed))
            for seed in (1, 2)
        ]
        self._tally = Tally()
        self._changes: list[Change] = []
        self._done = asyncio.Event()

    async def run(self, rounds: int) -> tuple[Tally, list[Change]]:
        """Let customers ask until all changes are made."""
        async with aiohttp.ClientSession() as self._http:
            await self._warm_up()
            asking = [asyncio.create_task(self._customer(n)) for n in range(CUSTOMERS)]
            for number in range(rounds):
                await self._round(number)
            self._done.set()
            await asyncio.gather(*asking)
        return self._tally, self._changes

    async def _warm_up(self) -> None:
        """What is promoted below is loaded already, as a version that passed the gate is."""
        for name in self._names:
            for url in self._urls:
                headers = {**self._headers("admin"), "X-Understudy-Version": name}
                await self._chat(url, headers=headers, stream=False)

    async def _round(self, number: int) -> None:
        by_api = number % 2 == 0
        name = self._names[number % 2]
        self._close()
        if number % _EXPERIMENT_EVERY == 0:
            await self._experiment(name, by_api=by_api)
        await self._switch(
            "promotion", "promote", {"version": name, "without_evidence": True},
            lambda session: versions.promote(session, name, actor="bench", without_evidence=True),
            by_api=by_api, to=name,
        )  # fmt: skip
        await self._switch(
            "roll-back", "rollback", {},
            lambda session: versions.rollback(session, "support", actor="bench"),
            by_api=by_api, to=BASE,
        )  # fmt: skip

    def _close(self) -> None:
        """From here on, others may answer than after the last change."""
        if self._changes:
            last = self._changes[-1]
            last.until = min(last.until, time.perf_counter())

    async def _experiment(self, name: str, *, by_api: bool) -> None:
        arms = [{"name": "a", "version": name, "share": 0.1}]
        sides = [Side("a", name, 0.1)]
        await self._change(
            "experiments", {"arms": arms},
            lambda session: experiments.start(session, "support", sides, actor="bench"),
            by_api=by_api,
        )  # fmt: skip
        for share in (0.5, 1.0):
            shares = {"a": share}
            await self._change(
                "experiments/ramp", {"shares": shares},
                lambda session, s=shares: experiments.set_shares(
                    session, "support", s, actor="bench"
                ),
                by_api=by_api,
            )  # fmt: skip
            await self._answers(8)
        await self._change(
            "experiments/stop", {},
            lambda session: experiments.stop(session, "support", actor="bench"),
            by_api=by_api,
        )  # fmt: skip
        await self._answers(8)

    async def _switch(
        self, kind: str, path: str, body: Body, command: Command, *, by_api: bool, to: str
    ) -> None:
        self._close()
        by = "admin API" if by_api else "command"
        change = Change(kind, by, to, time.perf_counter())
        self._changes.append(change)
        await self._change(path, body, command, by_api=by_api)
        await asyncio.gather(*(self._follows(url, change) for url in self._urls))

    async def _change(self, path: str, body: Body, command: Command, *, by_api: bool) -> None:
        if not by_api:
            await asyncio.to_thread(self._write, command)
            return
        url = f"{self._urls[0]}/v1/admin/{path}"
        async with self._http.post(url, json=body, headers=self._headers("admin")) as response:
            if response.status != 200:
                raise SystemExit(f"{path} was refused: {await response.text()}")

    def _write(self, command: Callable[[Any], Any]) -> None:
        with self._database.write() as session:
            command(session)

    async def _follows(self, url: str, change: Change) -> None:
        """Wait until a gateway has answered some questions in a row by the new version."""

        def answered() -> bool:
            newest = [a for a in self._tally.answers[-200:] if a.url == url][-_IN_A_ROW:]
            return len(newest) == _IN_A_ROW and all(
                a.version == change.to and a.began > change.began for a in newest
            )

        await self._until(answered)

    async def _answers(self, number: int) -> None:
        """Let customers get some answers, so that every state is under load."""
        wanted = len(self._tally.answers) + number
        await self._until(lambda: len(self._tally.answers) >= wanted)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110 - any condition
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _customer(self, number: int) -> None:
        url = self._urls[number % len(self._urls)]
        asked = 0
        while not self._done.is_set():
            asked += 1
            began = time.perf_counter()
            headers = {**self._headers("customer"), "X-Customer-Id": f"{number}-{asked % 50}"}
            try:
                version, said, status = await self._chat(
                    url, headers=headers, stream=asked % 2 == 0
                )
            except Exception as error:  # noqa: BLE001 - every failure is a result here
                self._tally.failures[f"{type(error).__name__}: {error}"[:80]] += 1
                continue
            if status != "complete" or not said.startswith(f"{version} answers"):
                self._tally.failures[f"{status} by {version}: {said[:40]}"] += 1
            self._tally.answers.append(Asked(url, began, version))

    async def _chat(
        self, url: str, *, headers: dict[str, str], stream: bool
    ) -> tuple[str, str, str]:
        """Version, text and status of one answer."""
        body = {
            "model": "support",
            "messages": [{"role": "user", "content": "hello"}],
            "stream": stream,
        }
        async with self._http.post(
            f"{url}/v1/chat/completions", json=body, headers=headers
        ) as response:
            raw = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {raw[:60]!r}")
        if not stream:
            answer = orjson.loads(raw)
            said = answer["choices"][0]["message"]["content"]
            return answer["understudy"]["version"], said, answer["understudy"]["status"]
        if not raw.endswith(b"data: [DONE]\n\n"):
            raise RuntimeError("the stream did not come to its end")
        events = [orjson.loads(line[6:]) for line in raw.split(b"\n\n")[:-2]]
        said = "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])
        about = next(e["understudy"] for e in reversed(events) if e.get("understudy"))
        return about["version"], said, about["status"]

    def _headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys[key]}"}


def switch_of(change: Change, answers: Sequence[Asked]) -> Switch:
    """How soon a change was followed, by what was asked between it and the next change."""
    lasts, firsts = [], []
    for url in {answer.url for answer in answers}:
        asked = [a for a in answers if a.url == url and change.began <= a.began < change.until]
        last = max((a.began for a in asked if a.version != change.to), default=change.began)
        lasts.append(last - change.began)
        later = (a.began for a in asked if a.began > last)
        firsts.append(min(later, default=change.until) - change.began)
    return Switch(change.kind, change.by, max(lasts), max(firsts))


def report(tally: Tally, switches: Sequence[Switch]) -> None:
    """Print what came of it."""
    rows = []
    for kind in ("roll-back", "promotion"):
        for by in ("admin API", "command", None):
            found = [s for s in switches if s.kind == kind and by in (s.by, None)]
            if len(found) > 1:
                old = _quantiles([switch.last_by_old for switch in found])
                new = _quantiles([switch.all_by_new for switch in found])
                rows.append((kind, by or "both", str(len(found)), old, new))
    header = ("change", "made by", "times", "last by the old: p50, p99, max", "all by the new")
    click.echo(figures.table(header, rows))
    failed = ", ".join(f"{n} × {kind}" for kind, n in tally.failures.items()) or "0"
    click.echo(f"\nanswers: {len(tally.answers):,}; failed: {failed}")


def _quantiles(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return ", ".join(f"{1000 * value:.0f}" for value in (cuts[49], cuts[98], max(seconds))) + " ms"


if __name__ == "__main__":
    main()
