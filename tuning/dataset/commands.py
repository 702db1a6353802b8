"""`understudy dataset`: what was trained on, shown, compared, and exported for other programs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from records.cli import actor, json_option, show, table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from records.artifacts import Artifacts
    from records.database import Database
    from records.tables import Dataset
    from tuning.dataset.diff import Change

_BATCH_IDS = 500
_WHY = {
    "approved": "left out by a step",
    "proposed": "back in review",
    "rejected": "rejected",
    "superseded": "replaced by a later one",
    "withdrawn": "withdrawn",
}
"""Why an example is gone, by its present state."""

_assistant = click.option("--assistant", help="Of this assistant only.")


@click.group()
def dataset() -> None:
    """Datasets: what versions were trained on. Without a name, the newest one is meant."""


@dataset.command("list")
@_assistant
@json_option
def list_(assistant: str | None, *, as_json: bool) -> None:
    """List datasets, the newest first."""
    database, _ = _stores()
    with database.read() as session:
        rows = [_about(session, row) for row in _all(session, assistant)]
    show(rows, as_json=as_json, text=_listed)


@dataset.command("show")
@click.argument("name", required=False, metavar="[DATASET]")
@_assistant
@json_option
def show_(name: str | None, assistant: str | None, *, as_json: bool) -> None:
    """Show a dataset's card: counts, what each step did, warnings, samples.

    DATASET is its name, the beginning of it, or a version that was trained from it.
    """
    from tuning.dataset.card_words import in_words

    database, artifacts = _stores()
    with database.read() as session:
        row = _find(session, name, assistant)
        about = _about(session, row)
    about["folder"] = str(artifacts.fetch(row.path))
    card = dict(row.card)
    show({**about, "card": card}, as_json=as_json, text=lambda _: in_words(card, about))


@dataset.command()
@click.argument("old", metavar="OLD")
@click.argument("new", required=False, metavar="[NEW]")
@_assistant
@json_option
def diff(old: str, new: str | None, assistant: str | None, *, as_json: bool) -> None:
    """Show which examples came, went and changed from OLD to NEW (by default the newest)."""
    from tuning.dataset.diff import changes, count, steps

    database, artifacts = _stores()
    with database.read() as session:
        before = _find(session, old, assistant)
        after = _find(session, new, assistant or before.assistant)
    gone: Counter[str] = Counter()
    folders = artifacts.fetch(before.path), artifacts.fetch(after.path)
    found = count(_noting_why(database, changes(*folders), gone))
    result = {
        "old": before.id,
        "new": after.id,
        **found.as_json(),
        "removed_because": dict(gone),
        "steps": steps(before.card, after.card),
    }
    show(result, as_json=as_json, text=_differing)


@dataset.command()
@click.argument("name", required=False, metavar="[DATASET]")
@click.option("--format", "form", type=click.Choice(["openai", "trl", "huggingface"]),
              default="huggingface", show_default=True, help="Whose form.")  # fmt: skip
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="A new or empty folder.")  # fmt: skip
@click.option("--synthetic", is_flag=True, help="With other wordings that were made of examples.")
@_assistant
@json_option
def export(
    name: str | None,
    form: str,
    folder: Path,
    assistant: str | None,
    *,
    synthetic: bool,
    as_json: bool,
) -> None:
    """Write a dataset for other programs, with a README that says where it comes from.

    openai: chat JSONL. trl: prompt and completion, and pairs. huggingface: Parquet that
    datasets.load_dataset reads. Each can be imported again.
    """
    from records import audit
    from records.errors import Conflict
    from tuning.dataset.export import ExportFormat
    from tuning.dataset.export import export as write

    database, artifacts = _stores()
    with database.read() as session:
        row = _find(session, name, assistant)
    if row.erased_at is not None:
        instead = f"; export {row.replaced_by}" if row.replaced_by else ""
        raise Conflict(f"Somebody's words were taken out of {row.id}{instead}.")
    about = {"id": row.id, "assistant": row.assistant}
    source = artifacts.fetch(row.path)
    done = write(source, folder, form=ExportFormat(form), about=about, synthetic=synthetic)
    with database.write() as session:
        audit.note(session, actor=actor(), action="dataset_exported", subject=row.id, format=form)
    show({"dataset": row.id, **done.as_json()}, as_json=as_json, text=_exported)


def _stores() -> "tuple[Database, Artifacts]":
    from records.artifacts import Artifacts
    from records.database import Database
    from tuning.settings import WorkerSettings

    settings = WorkerSettings.load()
    database = Database(settings.database)
    database.migrate()
    return database, Artifacts.of(settings)


def _all(session: "Session", assistant: str | None) -> "list[Dataset]":
    from sqlalchemy import select

    from records.tables import Dataset

    query = select(Dataset).order_by(Dataset.created_at.desc(), Dataset.id)
    if assistant is not None:
        query = query.where(Dataset.assistant == assistant)
    return list(session.scalars(query))


def _find(session: "Session", name: str | None, assistant: str | None) -> "Dataset":
    """The dataset that is meant.

    Raises:
        NotFound: none, or several.
    """
    from records.errors import NotFound
    from records.tables import Version

    rows = _all(session, assistant)
    if name is None:
        if not rows:
            raise NotFound("There is no dataset yet; one is made by: understudy retrain")
        return rows[0]
    version = session.get(Version, name)
    wanted = version.dataset_id if version is not None and version.dataset_id else name
    found = [row for row in rows if row.id == wanted] or [
        row for row in rows if row.id.startswith((wanted, f"ds-{wanted}"))
    ]
    if len(found) == 1:
        return found[0]
    if version is not None:
        raise NotFound(f"{name} was trained from no dataset: it is the bare base model.")
    which = f"several datasets: {', '.join(r.id for r in found[:5])}" if found else "no dataset"
    raise NotFound(f"{name!r} means {which}. See them all: understudy dataset list")


def _about(session: "Session", row: "Dataset") -> dict[str, Any]:
    from sqlalchemy import select

    from records.tables import Version

    trained = session.scalars(select(Version.id).where(Version.dataset_id == row.id))
    counts = row.card.get("counts", {})
    return {
        "id": row.id,
        "assistant": row.assistant,
        "created_at": row.created_at,
        "train": counts.get("train", 0),
        "held_out": counts.get("held_out", 0),
        "versions": sorted(trained),
        "erased_at": row.erased_at,
        "replaced_by": row.replaced_by,
    }


def _noting_why(
    database: "Database", found: "Iterator[Change | None]", gone: Counter[str]
) -> "Iterator[Change | None]":
    """The changes; why examples were removed is counted on the way, a batch of ids at a time."""
    ids: list[str] = []
    for change in found:
        if change is not None and change.after is None:
            ids.append(change.row.id)
            if len(ids) >= _BATCH_IDS:
                gone.update(_whys(database, ids))
                ids = []
        yield change
    gone.update(_whys(database, ids))


def _whys(database: "Database", ids: list[str]) -> list[str]:
    from sqlalchemy import select

    from records.tables import Example

    if not ids:
        return []
    with database.read() as session:
        states = dict(
            session.execute(select(Example.id, Example.state).where(Example.id.in_(ids)))
            .tuples()
            .all()
        )
    return [
        "a synthetic wording" if "+" in one
        else _WHY[str(states[one])] if one in states
        else "erased"
        for one in ids
    ]  # fmt: skip


def _listed(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "There is no dataset yet; one is made by: understudy retrain"
    head = ("DATASET", "ASSISTANT", "MADE", "TRAIN", "HELD OUT", "VERSIONS")
    return table(
        [
            head,
            *(
                (
                    row["id"] + (" (erased)" if row["erased_at"] else ""),
                    row["assistant"],
                    f"{row['created_at']:%Y-%m-%d %H:%M}",
                    f"{row['train']:,}",
                    f"{row['held_out']:,}",
                    ", ".join(row["versions"]),
                )
                for row in rows
            ),
        ]
    )


def _differing(result: dict[str, Any]) -> str:
    counts = result["counts"]
    lines = [
        f"From {result['old']} to {result['new']}: {counts['added']:,} added, "
        f"{counts['removed']:,} removed, {counts['changed']:,} changed, {counts['moved']:,} moved "
        f"between training and held out, {result['same']:,} the same."
    ]
    kinds = list(counts)
    names = sorted({name for kind in kinds for name in result["by_source"][kind]})
    if names:
        rows = [
            (name, *(f"{result['by_source'][kind].get(name, 0):,}" for kind in kinds))
            for name in names
        ]
        lines += ["", table([("SOURCE", *(kind.upper() for kind in kinds)), *rows])]
    if because := result["removed_because"]:
        lines.append("\nRemoved: " + ", ".join(f"{n:,} {why}" for why, n in because.items()) + ".")
    steps = [(s["name"], *_arrows(s)) for s in result["steps"] if any(_arrows(s))]
    if steps:
        lines += ["", table([("STEP", "CHANGED", "DROPPED"), *steps])]
    for kind, samples in result["samples"].items():
        lines += [f"\n{kind}:"] if samples else []
        for sample in samples:
            lines.append(f"  {sample['id']} ({sample['source']}): {sample['asked']}")
            if "answer_before" in sample and sample["answer_before"] != sample["answer"]:
                lines.append(f"    was: {sample['answer_before']}")
            lines.append(f"    answer: {sample['answer']}")
    return "\n".join(lines)


def _arrows(step: dict[str, Any]) -> tuple[str, str]:
    """How many a step changed and dropped then and now; empty where it did neither."""
    pairs = (step["changed"], step["dropped"])
    changed, dropped = (f"{a:,} → {b:,}" if a or b else "" for a, b in pairs)
    return changed, dropped


def _exported(result: dict[str, Any]) -> str:
    counts = ", ".join(f"{number:,} {side}" for side, number in result["examples"].items())
    lines = [f"Wrote {result['dataset']} to {result['folder']}: {counts or 'nothing'}."]
    if result["pairs"]:
        lines.append(f"{result['pairs']:,} of them name a wrong answer, too.")
    if result["synthetic_left_out"]:
        lines.append(
            f"{result['synthetic_left_out']:,} synthetic ones were left out (--synthetic)."
        )
    if result["without_right_answer"]:
        lines.append(f"{result['without_right_answer']:,} have no right answer: left out.")
    return "\n".join(lines)
