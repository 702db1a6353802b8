"""`understudy outbox`: what could not be sent to Slack, and sending it again. It needs no bot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show, table
from records.opened_records import opened_records

if TYPE_CHECKING:
    from records.tables import OutboxMessage


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def outbox(context: click.Context, *, as_json: bool) -> None:
    """List messages for Slack that were given up, or that wait because something failed."""
    if context.invoked_subcommand is not None:
        return
    from records import outbox as messages

    with opened_records() as (_, database), database.read() as session:
        rows = [_shown(row) for row in messages.troubled(session)]
    show(rows, as_json=as_json, text=_as_text)


@outbox.command()
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that were given up.")
def retry(ids: tuple[int, ...], *, every: bool) -> None:
    """Send messages again that were given up, by number, with what belongs to them.

    The bot sends them; one that may have arrived is looked for in Slack first.
    """
    from records import audit
    from records import outbox as messages

    if not ids and not every:
        raise click.UsageError("Name the numbers of messages, or --all.")
    with opened_records() as (_, database), database.write() as session:
        failed = messages.failed(session)
        chosen = [row.id for row in (failed if every else with_their_own(failed, ids))]
        number = messages.retry(session, chosen)
        audit.note(session, actor=actor(), action="outbox.retry", subject="outbox", ids=chosen)
    click.echo(f"{number} messages wait to be sent again.")


def with_their_own(failed: "Sequence[OutboxMessage]", ids: Sequence[int]) -> "list[OutboxMessage]":
    """The rows of these numbers, and those that failed because they belong to one of them."""
    from bot.outbox.kinds import head_of

    heads = {(row.kind, row.subject) for row in failed if row.id in ids}
    return [row for row in failed if row.id in ids or head_of(row) in heads]


def _shown(row: "OutboxMessage") -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "kind": row.kind,
        "subject": row.subject,
        "created_at": row.created_at.isoformat(timespec="seconds"),
        "why": row.error or "",
    }


def _as_text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Every message was sent, or is on its way."
    cells = [[str(cell) for cell in row.values()] for row in rows]
    return table([["number", "state", "kind", "about", "since", "why"], *cells])
