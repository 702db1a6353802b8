"""`understudy keys`: create, list and revoke API keys. They need no gateway."""

from collections.abc import Sequence
from typing import Any

import click

from records.cli import actor, json_option, show, table
from records.opened_records import opened_records
from records.states import KeyScope

_SCOPES = (
    "customer: talk for customers; agent: read any conversation and speak in it; "
    "ops: versions, releases, experiments; admin: all of these."
)


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
    help=_SCOPES,
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=0),
    default=None,
    help="In place of UNDERSTUDY_KEY_REQUESTS_PER_MINUTE; 0: no limit.",
)
@click.option(
    "--concurrent-requests",
    type=click.IntRange(min=0),
    default=None,
    help="In place of UNDERSTUDY_KEY_CONCURRENT_REQUESTS; 0: no limit.",
)
@json_option
def create(
    name: str,
    scope: str,
    requests_per_minute: int | None,
    concurrent_requests: int | None,
    *,
    as_json: bool,
) -> None:
    """Make a key called NAME. It is shown once."""
    from records import keys as api_keys

    with opened_records() as (_, database), database.write() as session:
        key = api_keys.create(
            session,
            name=name,
            scope=KeyScope(scope),
            actor=actor(),
            requests_per_minute=requests_per_minute,
            concurrent_requests=concurrent_requests,
        )
        made = {**_shown(api_keys.find(session, key)), "key": key}
    show(
        made,
        as_json=as_json,
        text=lambda shown: (
            f"{shown['key']}\nKeep it: it cannot be shown again. To end it: understudy keys revoke "
            f"{shown['id']}"
        ),
    )


@keys.command(name="list")
@json_option
def list_(*, as_json: bool) -> None:
    """List keys and their limits; the keys themselves are not kept."""
    from sqlalchemy import select

    from records.tables import ApiKey

    with opened_records() as (_, database), database.read() as session:
        rows = session.scalars(select(ApiKey).order_by(ApiKey.created_at)).all()
        found = [_shown(row) for row in rows]
    show(found, as_json=as_json, text=_keys_table)


@keys.command()
@click.argument("key_id")
@json_option
def revoke(key_id: str, *, as_json: bool) -> None:
    """End the key KEY_ID (see `keys list`); gateways follow within seconds."""
    from records import keys as api_keys
    from records.errors import NotFound

    with opened_records() as (_, database), database.write() as session:
        if not api_keys.revoke(session, key_id, actor=actor()):
            raise NotFound(f"No key {key_id!r} is in use.")
    show({"revoked": key_id}, as_json=as_json, text=lambda made: f"{made['revoked']} is revoked.")


def _shown(row: Any) -> dict[str, Any]:
    """A key as commands show it; None as a limit means the gateway's setting."""
    return {
        "id": row.id,
        "name": row.name,
        "scope": row.scope,
        "requests_per_minute": row.requests_per_minute,
        "concurrent_requests": row.concurrent_requests,
        "created_at": row.created_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
    }


def _keys_table(found: Sequence[dict[str, Any]]) -> str:
    rows = [("ID", "NAME", "SCOPE", "PER MINUTE", "AT ONCE", "STATE")]
    rows += [
        (
            key["id"],
            key["name"],
            key["scope"],
            _limit(key["requests_per_minute"]),
            _limit(key["concurrent_requests"]),
            "revoked" if key["revoked_at"] else "in use",
        )
        for key in found
    ]
    return table(rows)


def _limit(limit: int | None) -> str:
    return "setting" if limit is None else str(limit or "no limit")
