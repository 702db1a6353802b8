"""Streamed answers: chunks per second, and what is added to the time of the first text.

LiteLLM, a bare relay and the gateway before the same stub engine, and the stub itself:
- burst: 64 answers of 200 chunks asked for at the same moment, as fast as the engine gives them;
- paced: 64 answers under way at any time, a chunk each 20 ms, begun one after another;
- quiet: one answer at a time.
Command: python -m benchmarks.serving.streaming
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.serving import figures, servers
from benchmarks.serving.contenders import stage
from benchmarks.serving.figures import ratios, spread
from benchmarks.serving.litellm_environment import set_up
from benchmarks.serving.load import Arrival, Plan, Result, measure
from benchmarks.serving.servers import Server
from benchmarks.serving.stub_engine import pieces_of, play
from benchmarks.serving.throughput import BODY

NAMES = ("LiteLLM", "relay", "gateway")


@dataclass(frozen=True, slots=True)
class Case:
    """One way for answers to come."""

    name: str
    concurrency: int
    chunks: int
    pace_seconds: float
    arrival: Arrival
    seconds: float

    @property
    def answer_seconds(self) -> float:
        """How long the engine takes for one answer."""
        return self.chunks * self.pace_seconds


CASES = (
    Case("burst", 64, 200, 0, Arrival.WAVES, 4),
    Case("paced", 64, 200, 0.02, Arrival.SPREAD, 8),
    Case("quiet", 1, 20, 0.002, Arrival.LOOP, 4),
)
Found = dict[tuple[str, str], list[Result]]


@click.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Leave the others out.")
@click.option("--postgres", is_flag=True, help="Record in PostgreSQL instead of SQLite.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all results there.")
def main(*, rounds: int, only: tuple[str, ...], postgres: bool, file: Path | None) -> None:
    """Compare streaming before the same stub engine."""
    names = [name for name in NAMES if not only or name in only]
    if "LiteLLM" in names:
        set_up()
    figures.warn_if_busy()
    found: Found = defaultdict(list)
    with (
        servers.workplace() as folder,
        stage(folder, on_postgres=postgres) as contenders,
    ):
        stub = servers.stub(folder)

        def ask(server: Server) -> list[Result]:
            results = [_measure(server, case, stub_url=stub.url) for case in CASES]
            for case, result in zip(CASES, results, strict=True):
                found[server.name, case.name].append(result)
            return results

        with servers.running(stub):
            for number in range(rounds):
                ask(stub)
                for name in names:
                    click.echo(f"round {number + 1} of {rounds}: {name}", err=True)
                    contenders.play(name, stub.url, ask)
    report(found, names)
    named = {f"{name}, {case}": results for (name, case), results in found.items()}
    figures.save(file, named, rounds=rounds)
    figures.require_no_failures(r for results in found.values() for r in results)


def _measure(server: Server, case: Case, *, stub_url: str) -> Result:
    play(stub_url, chunks=case.chunks, pace_seconds=case.pace_seconds)
    plan = Plan(
        url=server.url, key=server.key, bodies=[{**BODY, "stream": True}],
        concurrency=case.concurrency, seconds=case.seconds, warm_up_seconds=1,
        arrival=case.arrival, spread_seconds=case.answer_seconds,
        text="".join(pieces_of(case.chunks)),
    )  # fmt: skip
    return measure(plan)


def report(found: Found, names: Sequence[str]) -> None:
    """Print both tables: medians over the rounds, the lowest and highest in brackets."""
    rates = {name: [r.chunks_per_second for r in found[name, "burst"]] for name in ("stub", *names)}
    rows = []
    for name, values in rates.items():
        versus = "–"
        if "LiteLLM" in rates and name != "stub":
            versus = spread(ratios(values, rates["LiteLLM"]), digits=1, unit="×")
        results = found[name, "burst"]
        events = spread(r.chunks_per_answer for r in results)
        rows.append([name, spread(values), versus, events, figures.failures(results)])
    click.echo("64 answers of 200 chunks at the same moment, as fast as the engine gives them:\n")
    header = ["server", "chunks/s", "÷ LiteLLM", "events per answer", "failed"]
    click.echo(figures.table(header, rows))
    click.echo("\nTime to the first text, added to the engine's own, in milliseconds:\n")
    added = [_added(found, name) for name in names]
    header = ["server", "alone p50", "alone p99", "64 paced p50", "64 paced p99", "chunks/s",
              "failed"]  # fmt: skip
    click.echo(figures.table(header, added))


def _added(found: Found, name: str) -> list[str]:
    cells = []
    for case in ("quiet", "paced"):
        for quantile in ("first_text_p50_ms", "first_text_p99_ms"):
            pairs = zip(found[name, case], found["stub", case], strict=True)
            more = [getattr(a, quantile) - getattr(b, quantile) for a, b in pairs if a.answers]
            cells.append(spread(more, digits=2))
    paced = found[name, "paced"]
    chunks = spread(r.chunks_per_second for r in paced)
    return [name, *cells, chunks, figures.failures([*found[name, "quiet"], *paced])]


if __name__ == "__main__":
    main()
