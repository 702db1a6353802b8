"""`understudy documents`: the team's pages, added, listed, removed, and asked questions of."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show, table

if TYPE_CHECKING:
    from records.assistant import Assistant
    from records.database import Database
    from tuning.settings import WorkerSettings

_assistant = click.option("--assistant", help="Name of the assistant; needed where there are more.")


@click.group()
def documents() -> None:
    """Pages of the team's knowledge: FAQ, product pages, policies."""


@documents.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@_assistant
@click.option("--approved", is_flag=True, help="Train on the answers without review: you vouch.")
@click.option("--licence", help="Of all these pages, such as CC-BY-4.0; kept with each example.")
@json_option
@click.pass_context
def add(
    context: click.Context,
    paths: Sequence[Path],
    assistant: str | None,
    *,
    approved: bool,
    licence: str | None,
    as_json: bool,
) -> None:
    """Add files or folders of Markdown, HTML, PDF or plain text.

    What a page asks and answers itself (headings that ask, FAQ lists, "Q:" and "A:" lines) becomes
    examples that wait for review. Adding a page again replaces it; what it no longer says is
    withdrawn.
    """
    from tuning.sources.documents.adding import add_documents
    from tuning.sources.documents.reading import find_documents

    chosen, database, _ = _opened(assistant)
    done = add_documents(
        database,
        find_documents(list(paths)),
        assistant=chosen,
        actor=actor(),
        approved=approved,
        licence=licence,
        on_bad=lambda path, why: click.secho(f"{path}: {why}", fg="yellow", err=True),
    )
    show(done.as_json(), as_json=as_json, text=_added)
    if done.bad:
        context.exit(1)


@documents.command("list")
@_assistant
@json_option
def list_(assistant: str | None, *, as_json: bool) -> None:
    """List the pages, and how many examples each gave."""
    from records import documents as stored

    chosen, database, _ = _opened(assistant)
    with database.read() as session:
        rows = [
            {
                "id": row.id,
                "name": row.name,
                "title": row.title,
                "licence": row.licence,
                "updated_at": row.updated_at,
                "examples": len(stored.examples_of(session, row.id)),
            }
            for row in stored.listed(session, chosen.name)
        ]
    show(rows, as_json=as_json, text=_listed)


@documents.command()
@click.argument("names", nargs=-1, required=True)
@_assistant
@json_option
def remove(names: Sequence[str], assistant: str | None, *, as_json: bool) -> None:
    """Remove pages by name or id; their examples are withdrawn and train no more."""
    from records import documents as stored

    chosen, database, _ = _opened(assistant)
    with database.write() as session:
        withdrawn = sum(
            stored.remove(session, stored.get(session, chosen.name, name), actor=actor())
            for name in names
        )
    result = {"removed": list(names), "examples_withdrawn": withdrawn}
    show(result, as_json=as_json, text=_removed)


@documents.command()
@click.argument("names", nargs=-1)
@_assistant
@click.option("--per-section", default=2, show_default=True, help="Questions for each section.")
@click.option("--url", help="An OpenAI-compatible endpoint; default: UNDERSTUDY_AUGMENT_URL, else "
              "the assistant's own champion.")  # fmt: skip
@click.option("--model", help="Its model; default: UNDERSTUDY_AUGMENT_MODEL, else the champion.")
@json_option
def questions(
    names: Sequence[str],
    assistant: str | None,
    *,
    per_section: int,
    url: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Have a model write questions that sections answer; they wait for review, always.

    NAMES are pages; all of them without any. The answer is the section's own words.
    """
    from tuning.augmentation.endpoint import Endpoint
    from tuning.sources.documents.questions import write_questions

    chosen, database, settings = _opened(assistant)
    endpoint = Endpoint.of(settings, database, chosen, url=url, model=model)
    done = write_questions(
        database,
        endpoint,
        assistant=chosen,
        names=names,
        per_section=per_section,
        actor=actor(),
        cache=settings.augmentation_cache,
        on_news=lambda done, total: click.echo(f"{done:,} of {total:,} sections", err=True),
    )
    show(done.as_json(), as_json=as_json, text=_asked)


def _opened(name: str | None) -> "tuple[Assistant, Database, WorkerSettings]":
    from records.assistant import pick_assistant, read_assistants
    from records.database import Database
    from tuning.settings import WorkerSettings

    settings = WorkerSettings.load()
    chosen = pick_assistant(read_assistants(settings.assistants), name)
    database = Database(settings.database)
    database.migrate()
    return chosen, database, settings


def _added(result: dict[str, Any]) -> str:
    pages = result["documents"]
    new, approved = result["examples_added"], result["examples_approved"]
    lines = [
        f"Documents of {result['assistant']}: {pages['added']:,} added, {pages['changed']:,} "
        f"changed, {pages['same']:,} as they were.",
        f"Questions that they answer: {new:,} new example(s) ({approved:,} approved, "
        f"{new - approved:,} to be reviewed in Slack).",
    ]
    if result["examples_withdrawn"]:
        lines.append(f"{result['examples_withdrawn']:,} examples are no longer said: withdrawn.")
    if result["bad_files"]:
        lines.append(f"{len(result['bad_files']):,} files could not be used; see above.")
    lines.append("More questions, written by a model: understudy documents questions")
    return "\n".join(lines)


def _listed(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "There are no documents. Add some: understudy documents add PATH"
    head = ("NAME", "TITLE", "EXAMPLES", "LICENCE", "UPDATED")
    return table(
        [
            head,
            *(
                (
                    row["name"],
                    row["title"][:60],
                    str(row["examples"]),
                    row["licence"] or "",
                    f"{row['updated_at']:%Y-%m-%d %H:%M}",
                )
                for row in rows
            ),
        ]
    )


def _removed(result: dict[str, Any]) -> str:
    return (
        f"Removed {', '.join(result['removed'])}; {result['examples_withdrawn']:,} examples were "
        "withdrawn. Adapters that learned from them stay as they are until you retrain."
    )


def _asked(result: dict[str, Any]) -> str:
    lines = [
        f"{result['model']} was asked about {result['sections']:,} sections and wrote "
        f"{result['written']:,} usable questions; {result['added']:,} are new and wait for review.",
    ]
    if result["left_out"]:
        words = ", ".join(f"{count:,} {why}" for why, count in result["left_out"].items())
        lines.append(f"Left out: {words}.")
    return "\n".join(lines)
