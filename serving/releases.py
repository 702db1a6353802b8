"""The commands of ops teams: versions, promote, rollback, explain, keys. They need no gateway."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from records.cli import actor, json_option, show
from records.settings import Settings
from records.states import KeyScope


@contextmanager
def _records() -> Iterator[tuple[Settings, Any]]:
    """Settings and the migrated database, closed at the end."""
    from records.database import Database

    settings = Settings.load()
    database = Database(settings.database)
    try:
        database.migrate()
        yield settings, database
    finally:
        database.close()


@click.command()
@click.option("--assistant", default=None, help="Of this assistant only.")
@json_option
def versions(assistant: str | None, *, as_json: bool) -> None:
    """List versions, their state and verdict."""
    from serving.releasing import listing

    with _records() as (_settings, database), database.read() as session:
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

    with _records() as (settings, database):
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
    from records.assistant import pick_assistant, read_assistants
    from serving.releasing import release_view

    with _records() as (settings, database):
        name = pick_assistant(read_assistants(settings.assistants), assistant).name
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

    with _records() as (_settings, database), database.read() as session:
        found = lineage.explain(session, turn_id)
    show(found, as_json=as_json, text=in_words)


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in KeyScope]),
    default=KeyScope.CUSTOMER.value,
    show_default=True,
    help="customer: backends that talk for customers; admin: also promote and roll back.",
)
@json_option
def create(name: str, scope: str, *, as_json: bool) -> None:
    """Make a key called NAME. It is shown once."""
    from records import keys as api_keys

    with _records() as (_settings, database), database.write() as session:
        key = api_keys.create(session, name=name, scope=KeyScope(scope), actor=actor())
        made = api_keys.find(session, key)
    show(
        {"id": made.id if made else None, "name": name, "scope": scope, "key": key},
        as_json=as_json,
        text=lambda shown: (
            f"{shown['key']}\nKeep it: it cannot be shown again. To end it: understudy keys revoke "
            f"{shown['id']}"
        ),
    )


@keys.command(name="list")
@json_option
def list_(*, as_json: bool) -> None:
    """List keys; the keys themselves are not kept."""
    from sqlalchemy import select

    from records.tables import ApiKey

    with _records() as (_settings, database), database.read() as session:
        found = [
            {"id": row.id, "name": row.name, "scope": row.scope,
             "created_at": row.created_at.isoformat(),
             "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None}
            for row in session.scalars(select(ApiKey).order_by(ApiKey.created_at))
        ]  # fmt: skip
    show(found, as_json=as_json, text=_keys_table)


@keys.command()
@click.argument("key_id")
@json_option
def revoke(key_id: str, *, as_json: bool) -> None:
    """End the key KEY_ID (see `keys list`); gateways follow within seconds."""
    from records import keys as api_keys
    from records.errors import NotFound

    with _records() as (_settings, database), database.write() as session:
        if not api_keys.revoke(session, key_id, actor=actor()):
            raise NotFound(f"No key {key_id!r} is in use.")
    show({"revoked": key_id}, as_json=as_json, text=lambda made: f"{made['revoked']} is revoked.")


def _versions_table(found: list[dict[str, Any]]) -> str:
    if not found:
        return "No versions yet: start the gateway once (understudy up)."
    rows = [("VERSION", "STATE", "VERDICT", "PARENT", "MADE")]
    rows += [
        (v["version"], v["state"], v["verdict"] or "-", v["parent"] or "-", v["created_at"][:16])
        for v in found
    ]
    return _table(rows)


def _keys_table(found: list[dict[str, Any]]) -> str:
    rows = [("ID", "NAME", "SCOPE", "STATE")]
    rows += [
        (k["id"], k["name"], k["scope"], "revoked" if k["revoked_at"] else "in use") for k in found
    ]
    return _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    lines = ("  ".join(str(c).ljust(w) for c, w in zip(r, widths, strict=True)) for r in rows)
    return "\n".join(line.rstrip() for line in lines)


def _release_sentence(release: dict[str, Any]) -> str:
    return (
        f"{release['assistant']}: {release['version']} is champion now, in place of "
        f"{release['replaces']}. Each gateway serves it as soon as it has loaded and proved it; "
        "its log and the audit say so if it can't."
    )
