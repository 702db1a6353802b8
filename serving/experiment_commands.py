"""`understudy experiment`: divide live traffic between versions. It needs no gateway."""

from typing import Any

import click

from records.cli import actor, json_option, show, table
from records.errors import InvalidInput
from records.opened_records import assistant_of, opened_records

_FIRST_ARM = "challenger"

_assistant = click.option("--assistant", default=None, help="Needed where there are several.")
_without_evidence = click.option(
    "--without-evidence", is_flag=True, help="Take versions though the gate said FAIL."
)


@click.group()
def experiment() -> None:
    """Divide live traffic between versions; each customer stays with one of them."""


@experiment.command()
@click.argument("version", required=False)
@click.option("--share", type=float, help="Share of customers for VERSION, above 0 and up to 1.")
@click.option(
    "--arm", "arms", multiple=True, metavar="NAME=VERSION:SHARE", help="One more arm, or several."
)
@_assistant
@_without_evidence
@json_option
def start(
    version: str | None,
    share: float | None,
    arms: tuple[str, ...],
    assistant: str | None,
    *,
    without_evidence: bool,
    as_json: bool,
) -> None:
    """Give VERSION a share of the customers; the rest stay with the champion.

    The arm of VERSION is called challenger. Example:
    understudy experiment start support-3f9c2a71d0e4 --share 0.1
    """
    from records import experiments
    from records.artifacts import Artifacts
    from records.versions import check_files
    from serving.releasing import experiment_view

    if (version is None) != (share is None):
        raise InvalidInput("Give VERSION together with --share.")
    sides = [experiments.Side(_FIRST_ARM, version, share)] if version and share else []
    sides += [experiments.Side(*_arm(text)) for text in arms]
    with opened_records() as (settings, database):
        name = assistant_of(settings, assistant)
        for side in sides:
            check_files(database, Artifacts.of(settings), side.version)
        with database.write() as session:
            result = experiment_view(
                experiments.start(
                    session, name, sides, actor=actor(), without_evidence=without_evidence
                )
            )
    show(result, as_json=as_json, text=_in_words)


@experiment.command(name="show")
@_assistant
@json_option
def show_(assistant: str | None, *, as_json: bool) -> None:
    """Show the running experiment, or the last one, and whom each side has answered.

    The champion's row counts the customers who stay with it.
    """
    from serving.releasing import experiment_report

    with opened_records() as (settings, database), database.read() as session:
        result = experiment_report(session, assistant_of(settings, assistant))
    show(result, as_json=as_json, text=_in_words)


@experiment.command()
@click.argument("shares", nargs=-1, required=True, metavar="[NAME=]SHARE...")
@_assistant
@json_option
def ramp(shares: tuple[str, ...], assistant: str | None, *, as_json: bool) -> None:
    """Change the shares of arms; only the customers move that must.

    NAME may be left out where the arm is called challenger. A share of 0 takes in nobody new.
    Example: understudy experiment ramp 0.5
    """
    from records import experiments
    from serving.releasing import experiment_view

    wanted = dict(_named_share(text) for text in shares)
    with opened_records() as (settings, database):
        name = assistant_of(settings, assistant)
        with database.write() as session:
            result = experiment_view(experiments.set_shares(session, name, wanted, actor=actor()))
    show(result, as_json=as_json, text=_in_words)


@experiment.command()
@_assistant
@json_option
def stop(assistant: str | None, *, as_json: bool) -> None:
    """Give all customers back to the champion."""
    from records import experiments
    from serving.releasing import experiment_view

    with opened_records() as (settings, database):
        name = assistant_of(settings, assistant)
        with database.write() as session:
            result = experiment_view(experiments.stop(session, name, actor=actor()))
    show(result, as_json=as_json, text=_in_words)


def _arm(text: str) -> tuple[str, str, float]:
    name, equals, rest = text.partition("=")
    version, colon, share = rest.rpartition(":")
    if not (name and equals and version and colon):
        raise InvalidInput(f"{text!r} is no arm; write it as NAME=VERSION:SHARE.")
    return name, version, _number(share)


def _named_share(text: str) -> tuple[str, float]:
    name, equals, share = text.rpartition("=")
    if equals and not name:
        raise InvalidInput(f"{text!r} names no arm; write it as NAME=SHARE.")
    return name or _FIRST_ARM, _number(share)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no share; write a number such as 0.1.") from error


def _in_words(found: dict[str, Any]) -> str:
    head = f"Experiment {found['id']} of {found['assistant']}: {found['state']}"
    counted = "customers" in found["arms"][0]
    columns = ("customers", "conversations") if counted else ()
    rows = [("ARM", "VERSION", "SHARE", *(column.upper() for column in columns))]
    rows += [
        (
            arm["name"],
            arm["version"],
            f"{100 * arm['share']:g} %",
            *(str(arm[column]) for column in columns),
        )
        for arm in found["arms"]
    ]
    if found["state"] == "running" or counted:
        rows.append(_champions_side(found, columns))
    return f"{head}\n{table(rows)}"


def _champions_side(found: dict[str, Any], columns: tuple[str, ...]) -> tuple[str, ...]:
    """The customers who stay with the champion, counted where the arms are."""
    side = found.get("champion") or {}
    left = round(1 - sum(arm["share"] for arm in found["arms"]), 9)
    counts = (str(side.get(column, "")) for column in columns)
    return "-", side.get("version") or "(champion)", f"{100 * max(0.0, left):g} %", *counts
