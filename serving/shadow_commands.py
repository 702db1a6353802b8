"""`understudy shadow`: let a version answer beside the champion, unseen. It needs no gateway."""

from typing import Any

import click

from records.cli import actor, json_option, show
from records.opened_records import assistant_of, opened_records

_assistant = click.option("--assistant", default=None, help="Needed where there are several.")


@click.group()
def shadow() -> None:
    """Let a version answer a sample of real questions without anyone seeing its answers."""


@shadow.command()
@click.argument("version")
@click.option(
    "--share", type=float, default=0.1, show_default=True, help="Share of questions, up to 1."
)
@click.option("--without-evidence", is_flag=True, help="Take it though the gate said FAIL.")
@json_option
def start(version: str, share: float, *, without_evidence: bool, as_json: bool) -> None:
    """Ask VERSION a share of its assistant's questions; the champion still answers them all."""
    from records import shadows
    from records.artifacts import Artifacts
    from records.versions import check_files
    from serving.releasing import shadow_view

    with opened_records() as (settings, database):
        check_files(database, Artifacts.of(settings), version)
        with database.write() as session:
            result = shadow_view(
                shadows.start(
                    session, version, share, actor=actor(), without_evidence=without_evidence
                )
            )
    show(result, as_json=as_json, text=_in_words)


@shadow.command(name="show")
@_assistant
@json_option
def show_(assistant: str | None, *, as_json: bool) -> None:
    """Show the running shadow, or the last one, and how often it said the same."""
    from serving.releasing import shadow_report

    with opened_records() as (settings, database), database.read() as session:
        result = shadow_report(session, assistant_of(settings, assistant))
    show(result, as_json=as_json, text=_in_words)


@shadow.command()
@_assistant
@json_option
def stop(assistant: str | None, *, as_json: bool) -> None:
    """Ask the shadow nothing more; its answers stay."""
    from records import shadows
    from serving.releasing import shadow_view

    with opened_records() as (settings, database):
        name = assistant_of(settings, assistant)
        with database.write() as session:
            result = shadow_view(shadows.stop(session, name, actor=actor()))
    show(result, as_json=as_json, text=_in_words)


def _in_words(found: dict[str, Any]) -> str:
    lines = [
        f"Shadow {found['id']} of {found['assistant']}: {found['state']}",
        f"{found['version']} is asked {100 * found['share']:g} % of the questions",
    ]
    if "answers" in found:
        answers = found["answers"]
        lines += [
            f"answers:        {answers}",
            f"no answer:      {found['errors']}",
            f"same text:      {_part(found['same_text'], answers)}",
            f"same hand-over: {_part(found['same_handover'], answers)}",
        ]
    return "\n".join(lines)


def _part(number: int, of: int) -> str:
    return f"{number} ({100 * number / of:.1f} %)" if of else "0"
