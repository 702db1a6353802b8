"""The command `understudy erase`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show

if TYPE_CHECKING:
    from tuning.erasure.erase import Erased, Place

_SHOWN = 20


@click.command()
@click.option("--customer", metavar="ID", help="The customer, as your backend names them.")
@click.option(
    "--erasure", metavar="ID", help="Sweep this machine's files for an erasure made elsewhere."
)
@click.option("--dry-run", is_flag=True, help="Count what would be reached; change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--slack", is_flag=True, help="Take the words out of the bot's messages as well.")
@json_option
@click.pass_context
def erase(
    context: click.Context,
    customer: str | None,
    erasure: str | None,
    *,
    dry_run: bool,
    yes: bool,
    slack: bool,
    as_json: bool,
) -> None:
    """Erase a customer's words everywhere, and name the adapters that were trained on them.

    Counts of conversations, outcomes and decisions stay, without words or names. It cannot be taken
    back. Cut off, it goes on when it is run again. See docs/erasure.md.
    """
    from records.ids import utc_now
    from tuning.erasure.erase import erase as erase_customer
    from tuning.erasure.erase import plan, sweep

    if bool(customer) == bool(erasure):
        raise click.UsageError("Give either --customer ID or --erasure ID.")
    place = _place()
    if erasure:
        found = sweep(place, erasure, clock=utc_now)
        return _tell(context, place, found, as_json=as_json, done=True)
    assert customer is not None
    found = plan(place, customer)
    if dry_run or not any((*found.counts.values(), found.erasure_id)):
        return _tell(context, place, found, as_json=as_json, done=False)
    if not yes:
        click.echo(_counted(found), err=as_json)
        click.confirm("Erase all this? It cannot be taken back.", abort=True, err=as_json)
    found = erase_customer(place, customer, actor=actor(), clock=utc_now, in_slack=slack)
    return _tell(context, place, found, as_json=as_json, done=True)


def _place() -> "Place":
    from records.artifacts import Artifacts
    from records.assistant import read_assistants
    from records.database import Database
    from tuning.augmentation.settings import AugmentationSettings
    from tuning.erasure.erase import Place
    from tuning.settings import WorkerSettings

    settings = WorkerSettings.load()
    database = Database(settings.database)
    database.migrate()
    return Place(
        database=database,
        artifacts=Artifacts.of(settings),
        home=settings.home,
        jobs=settings.jobs,
        wordings=AugmentationSettings.load().augmentation_cache,
        assistants=tuple(read_assistants(settings.assistants).values()),
    )


def _tell(
    context: click.Context, place: "Place", found: "Erased", *, as_json: bool, done: bool
) -> None:
    result = {**found.as_json(), "done": done and not found.left}
    result["commands"] = _commands(place, found)
    show(result, as_json=as_json, text=lambda _: "\n".join(_lines(found, result, done=done)))
    if found.left:
        context.exit(1)


def _lines(found: "Erased", result: dict[str, Any], *, done: bool) -> Iterator[str]:
    if not any(found.counts.values()) and not found.trained and not found.left:
        yield "Nothing of this customer's is stored."
        return
    yield f"Erased ({found.erasure_id})." if done else "This would be erased; nothing is changed."
    yield _counted(found)
    for one in found.datasets:
        yield f"Dataset {one.old}: " + (f"replaced by {one.new}" if one.new else "nothing is left")
    yield from _trained(found, result["commands"])
    yield from _slack(found)
    for file, numbers in found.cases.items():
        yield (
            f"Frozen cases say the same: {file}, line {', '.join(map(str, numbers))}. The file is "
            "yours: take them out, and compare versions anew."
        )
    for sentence in found.left:
        yield f"Not done yet: {sentence}"


def _counted(found: "Erased") -> str:
    rows = [f"  {number:>7,}  {name}" for name, number in found.counts.items() if number]
    return "\n".join(rows) or "        0  rows"


def _trained(found: "Erased", commands: list[str]) -> Iterator[str]:
    if not found.trained:
        return
    yield "Adapters trained on these words, which weights cannot forget:"
    for one in found.trained:
        told = [one.state, *([f"serves as {one.serves}"] if one.serves else [])]
        if one.through:
            told.append(f"went on from {one.through}")
        yield f"  {one.version} ({', '.join(told)})"
    if commands:
        yield "Train a version without them, and promote it once the gate says PASS:"
        yield from (f"  {command}" for command in commands)


def _commands(place: "Place", found: "Erased") -> list[str]:
    """What to run, for each assistant that such an adapter serves."""
    from tuning.training.recipe import StartFrom, resolve

    files = {assistant.name: assistant for assistant in place.assistants}
    serving = sorted({one.assistant for one in found.trained if one.serves == "champion"})
    commands = []
    for name in serving:
        recipe = resolve(files[name].recipe, {}) if name in files else None
        anew = recipe is not None and recipe.start_from is StartFrom.CHAMPION
        start = f" --set start_from={StartFrom.BASE}" if anew else ""
        commands.append(f"understudy retrain --assistant {name}{start}")
    return commands


def _slack(found: "Erased") -> Iterator[str]:
    shown, written = len(found.shown), len(found.written)
    if not shown and not written:
        return
    yield (
        f"Slack shows {shown} messages of the bot's (--slack takes the words out of them) and "
        f"{written} that colleagues wrote. Slack keeps what was edited as its own settings say; "
        "files and colleagues' messages must be deleted there:"
    )
    places = [f"{one['channel']} {one['ts']} ({one['kind']})" for one in found.shown]
    places += [f"{channel} {ts} (a colleague's)" for channel, ts in found.written]
    yield from (f"  {place}" for place in places[:_SHOWN])
    if len(places) > _SHOWN:
        yield f"  and {len(places) - _SHOWN} more (--json names all)"
