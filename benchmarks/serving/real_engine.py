"""The real vLLM with the bundled model: tokens per second through the gateway and without it.

Both get the same prompts at the same concurrency; asked directly, vLLM also gets the system prompt
that the gateway adds. The gateway asks for log-probabilities on top; what these cost the engine is
measured by themselves.
Command: python -m benchmarks.serving.real_engine
"""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from benchmarks.serving import figures, servers
from benchmarks.serving.figures import ratios, spread
from benchmarks.serving.load import Plan, Result, measure
from benchmarks.serving.recorded import require_recorded
from benchmarks.serving.servers import ROOT, Server
from records.assistant import read_assistant

CONCURRENCY = 16
_PROMPTS = 200
_CASES = ROOT / "deploy" / "demo" / "cases.jsonl"
_ASSISTANT = ROOT / "deploy" / "assistants" / "support.yaml"
_DIRECT, _LOGPROBS, _GATEWAY = "vLLM", "vLLM, with log-probabilities", "gateway"
Found = dict[tuple[str, str], list[Result]]


@click.command()
@click.option("--rounds", default=6, show_default=True)
@click.option("--seconds", default=10.0, show_default=True, help="Measured at a time.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all results there.")
def main(*, rounds: int, seconds: float, file: Path | None) -> None:
    """Compare tokens per second through the gateway with asking vLLM directly."""
    figures.warn_if_busy()
    found: Found = defaultdict(list)
    with servers.workplace() as folder:
        engine = servers.engine(folder)
        click.echo("starting vLLM (half a minute)", err=True)
        with servers.running(engine):
            gateway = servers.gateway(folder, engine.url)
            with servers.running(gateway):
                order = [(_DIRECT, engine), (_LOGPROBS, engine), (_GATEWAY, gateway)]
                for number in range(rounds):
                    click.echo(f"round {number + 1} of {rounds}", err=True)
                    for way, server in order:
                        _ask(way, server, found, seconds=seconds)
                    order.reverse()  # so that none always comes last
            asked = [*found[_GATEWAY, "streamed"], *found[_GATEWAY, "whole"]]
            require_recorded(gateway, asked)
    report(found)
    named = {f"{way}, {form}": results for (way, form), results in found.items()}
    figures.save(file, named, rounds=rounds, seconds=seconds)
    figures.require_no_failures(r for results in found.values() for r in results)


def _ask(way: str, server: Server, found: Found, *, seconds: float) -> None:
    for form in ("streamed", "whole"):
        plan = Plan(
            url=server.url, key=server.key, bodies=requests(way, stream=form == "streamed"),
            concurrency=CONCURRENCY, seconds=seconds, warm_up_seconds=2,
        )  # fmt: skip
        found[way, form].append(measure(plan))


def requests(way: str, *, stream: bool) -> list[dict[str, Any]]:
    """The demo's frozen queries as requests, to vLLM itself or to the gateway."""
    assistant = read_assistant(_ASSISTANT)
    common: dict[str, Any] = {
        "temperature": assistant.generation.temperature,
        "max_tokens": assistant.generation.max_tokens,
        "stream": stream,
    }
    if stream:
        common["stream_options"] = {"include_usage": True}
    if way == _LOGPROBS:
        common["logprobs"] = True
    if way == _GATEWAY:
        return [{"model": assistant.name, "messages": said, **common} for said in _questions()]
    system = {"role": "system", "content": assistant.system_prompt}
    model = assistant.base_version
    return [{"model": model, "messages": [system, *said], **common} for said in _questions()]


def _questions() -> Iterator[list[dict[str, str]]]:
    with _CASES.open(encoding="utf-8") as lines:
        for line in itertools.islice(lines, _PROMPTS):
            yield json.loads(line)["messages"]


def report(found: Found) -> None:
    """Print the table: medians over the rounds, the lowest and highest in brackets."""
    rows = []
    for way, form in sorted(found, key=lambda key: key[1]):
        rates = [r.tokens_per_second for r in found[way, form]]
        ratio = ratios(rates, [r.tokens_per_second for r in found[_DIRECT, form]])
        row = [
            form,
            way,
            spread(rates),
            spread(ratio, digits=3),
            figures.failures(found[way, form]),
        ]
        rows.append(row)
    click.echo(f"{CONCURRENCY} answers at a time by vLLM with the bundled model:\n")
    click.echo(figures.table(["answers", "asked", "tokens/s", "÷ vLLM", "failed"], rows))


if __name__ == "__main__":
    main()
