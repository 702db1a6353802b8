"""Whole answers: requests per second and latency of LiteLLM, a bare relay and the gateway.

All stand before the same stub engine, one after another in each round, never at the same time.
The gateway records every turn durably; afterwards its turns are counted.
Command: python -m benchmarks.serving.throughput
"""

from collections import defaultdict
from pathlib import Path

import click

from benchmarks.serving import figures, servers
from benchmarks.serving.contenders import NAMES, stage
from benchmarks.serving.figures import ratios, spread
from benchmarks.serving.litellm_environment import set_up
from benchmarks.serving.load import Plan, Result, measure
from benchmarks.serving.servers import Server
from benchmarks.serving.stub_engine import whole_text

CONCURRENCY = (16, 64)
BODY = {
    "model": "support",
    "messages": [
        {"role": "user", "content": "When will my new card arrive? I ordered it last week."}
    ],
}
Found = dict[tuple[str, int], list[Result]]


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=4.0, show_default=True, help="Measured at each concurrency.")
@click.option("--warm-up", default=2.0, show_default=True, help="Seconds before that.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Leave the others out.")
@click.option("--postgres", is_flag=True, help="Record in PostgreSQL instead of SQLite.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all results there.")
def main(
    *, rounds: int, seconds: float, warm_up: float, only: tuple[str, ...], postgres: bool,
    file: Path | None,
) -> None:  # fmt: skip
    """Compare requests per second before the same stub engine."""
    names = [name for name in NAMES if not only or name in only]
    if "LiteLLM" in names:
        set_up()
    figures.warn_if_busy()
    found: Found = defaultdict(list)

    def ask(server: Server) -> list[Result]:
        results = [
            measure(
                Plan(
                    url=server.url, key=server.key, bodies=[BODY], concurrency=concurrency,
                    seconds=seconds, warm_up_seconds=warm_up, text=whole_text(),
                )
            )
            for concurrency in CONCURRENCY
        ]  # fmt: skip
        for concurrency, result in zip(CONCURRENCY, results, strict=True):
            found[server.name, concurrency].append(result)
        return results

    with (
        servers.workplace() as folder,
        stage(folder, on_postgres=postgres) as contenders,
    ):
        stub = servers.stub(folder)
        with servers.running(stub):
            ask(stub)
            for number in range(rounds):
                for name in names:
                    click.echo(f"round {number + 1} of {rounds}: {name}", err=True)
                    contenders.play(name, stub.url, ask)
    report(found, names, kind="PostgreSQL" if postgres else "SQLite")
    named = {f"{name} at {concurrency}": results for (name, concurrency), results in found.items()}
    figures.save(file, named, rounds=rounds, seconds=seconds)
    figures.require_no_failures(r for results in found.values() for r in results)


def report(found: Found, names: list[str], *, kind: str) -> None:
    """Print the table: medians over the rounds, the lowest and highest in brackets."""
    rows = []
    for concurrency in CONCURRENCY:
        for name in ["stub", *names]:
            results = found[name, concurrency]
            rates = [r.per_second for r in results]
            rows.append(
                [
                    str(concurrency),
                    "stub, asked directly" if name == "stub" else name,
                    spread(rates),
                    spread((r.p50_ms for r in results), digits=2),
                    spread((r.p99_ms for r in results), digits=2),
                    figures.failures(results),
                ]
            )
    click.echo(
        figures.table(["at once", "server", "requests/s", "p50 ms", "p99 ms", "failed"], rows)
    )
    direct = found["stub", max(CONCURRENCY)][0]
    each = direct.cpu_seconds / direct.answers_in_all
    click.echo(f"\nThe load generator takes {each * 1e6:.0f} µs of processor time per request.")
    if "gateway" in names:
        answers = sum(r.answers_in_all for c in CONCURRENCY for r in found["gateway", c])
        click.echo(f"{kind}: {answers} answers seen, each recorded once with its question.")
        for rival in names:
            if rival != "gateway":
                compare(found, rival)


def compare(found: Found, rival: str) -> None:
    """Print how the gateway stands to another."""
    for concurrency in CONCURRENCY:
        ours, theirs = found["gateway", concurrency], found[rival, concurrency]
        rate = ratios([r.per_second for r in ours], [r.per_second for r in theirs])
        slow = ratios([r.p99_ms for r in ours], [r.p99_ms for r in theirs])
        click.echo(
            f"gateway ÷ {rival} at {concurrency}: requests/s {spread(rate, digits=2, unit='×')}, "
            f"p99 {spread(slow, digits=3, unit='×')}"
        )


if __name__ == "__main__":
    main()
