"""The commands of ops teams: versions, promote, rollback, explain. They need no gateway."""

from typing import Any

import click

from records.cli import actor, json_option, show, table
from records.opened_records import assistant_of, opened_records


@click.command()
@click.option("--assistant", default=None, help="Of this assistant only.")
@json_option
def versions(assistant: str | None, *, as_json: bool) -> None:
    """List versions, their state and verdict."""
    from serving.releasing import listing

    with opened_records() as (_settings, database), database.read() as session:
        found = listing(session, assistant)
    show(found, as_json=as_json, text=_versions_table)


@click.command()
@click.argument("version")
@click.option("--without-evidence", is_flag=True, help="Take it though the gate did not pass it.")
@json_option
def promote(version: str, *, without_evidence: bool, as_json: bool) -> None:
    """Make VERSION the one that answers customers; a running experiment ends."""
    from records import versions as releases
    from records.artifacts import Artifacts
    from serving.releasing import release_view

    with opened_records() as (settings, database):
        store = Artifacts.of(settings)
        releases.check_files(database, store, version)
        with database.write() as session:
            result = release_view(
                releases.promote(session, version, actor=actor(), without_evidence=without_evidence)
            )
    show(result, as_json=as_json, text=_release_sentence)


@click.command()
@click.option("--assistant", default=None, help="Needed where there are several.")
@json_option
def rollback(assistant: str | None, *, as_json: bool) -> None:
    """Go back to the version before, at once."""
    from records import versions as releases
    from serving.releasing import release_view

    with opened_records() as (settings, database):
        name = assistant_of(settings, assistant)
        with database.write() as session:
            result = release_view(releases.rollback(session, name, actor=actor()))
    show(result, as_json=as_json, text=_release_sentence)


@click.command()
@click.argument("turn_id")
@json_option
def explain(turn_id: str, *, as_json: bool) -> None:
    """Show what the answer TURN_ID came from, back to the people who taught it."""
    from records import lineage
    from serving.explanation import in_words

    with opened_records() as (_settings, database), database.read() as session:
        found = lineage.explain(session, turn_id)
    show(found, as_json=as_json, text=in_words)


def _versions_table(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No versions yet: start the gateway once (understudy up)."
    rows = [("VERSION", "STATE", "VERDICT", "PARENT", "MADE")]
    rows += [
        (v["version"], v["state"], v["verdict"] or "-", v["parent"] or "-", v["created_at"][:16])
        for v in found
    ]
    return table(rows)


def _release_sentence(release: dict[str, Any]) -> str:
    return (
        f"{release['assistant']}: {release['version']} is champion now, in place of "
        f"{release['replaces']}. Each gateway serves it as soon as it has loaded and proved it; "
        "its log and the audit say so if it can't."
    )
