"""A dataset's card in words and tables, for a terminal. Pure but for measuring its width."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_MOST_ROWS = 15
OTHERS = "(others)"
"""What the card calls topics that it doesn't name; they stand last."""


def in_words(card: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The card as text; `about` says what the records know of the dataset (id, versions, …).

    Cards of older datasets lack some of it, which is left out then.
    """
    console = Console()
    with console.capture() as written:
        for part in _parts(card, about):
            console.print(part)
    return written.get().rstrip()


def _parts(card: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[RenderableType]:
    counts = card.get("counts", {})
    yield Text.assemble(
        (str(about["id"]), "bold"),
        f", for {about['assistant']}, made {about['created_at']:%Y-%m-%d %H:%M}: "
        f"{counts.get('train', 0):,} examples to train on, {counts.get('held_out', 0):,} held out.",
    )
    if about.get("erased_at"):
        instead = f"; {about['replaced_by']} holds what was left" if about["replaced_by"] else ""
        yield Text(f"Somebody's words were taken out of it{instead}.", style="yellow")
    if versions := about.get("versions"):
        yield f"Trained from it: {', '.join(versions)}"
    for warning in card.get("warnings", []):
        yield Text(f"! {warning}", style="yellow")
    yield from _tables(card)
    yield from _sentences(card)
    yield from _samples(card)


def _tables(card: Mapping[str, Any]) -> Iterator[RenderableType]:
    for title, key in (
        ("By source", "by_source"),
        ("By topic", "by_topic"),
        ("By language", "by_language"),
        ("By licence", "licences"),
    ):
        sides = card.get(key) or {}
        if any(sides.values()):
            yield _by_side(title, sides)
    if lengths := card.get("lengths"):
        yield _lengths(lengths)
    if steps := card.get("steps"):
        yield _steps(steps)


def _by_side(title: str, sides: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("", "train", "held out", title=title, title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    train, held = sides.get("train", {}), sides.get("held_out", {})
    names = sorted({*train, *held}, key=lambda name: (name == OTHERS, -train.get(name, 0), name))
    for name in names[:_MOST_ROWS]:
        table.add_row(name, f"{train.get(name, 0):,}", f"{held.get(name, 0):,}")
    if len(names) > _MOST_ROWS:
        rest = names[_MOST_ROWS:]
        sums = [sum(side.get(name, 0) for name in rest) for side in (train, held)]
        table.add_row(f"{len(rest)} more", *(f"{number:,}" for number in sums))
    return table


def _lengths(lengths: Mapping[str, Sequence[int]]) -> Table:
    """Characters of questions and answers, by the edges between which they lie."""
    edges = list(lengths["from_characters"])
    table = Table("characters", "questions", "answers", title="Lengths", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for at, edge in enumerate(edges):
        question, answer = lengths["question"][at], lengths["answer"][at]
        if question or answer:
            end = f"{edges[at + 1] - 1:,}" if at + 1 < len(edges) else "more"
            table.add_row(f"{edge:,} to {end}", f"{question:,}", f"{answer:,}")
    return table


def _steps(steps: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("step", "kept", "changed", "dropped", "why", "per second and core",
                  title="Steps, in order", title_justify="left")  # fmt: skip
    for column in (1, 2, 3, 5):
        table.columns[column].justify = "right"
    for step in steps:
        whys = step.get("whys") or {}
        rate = step.get("per_second_and_core")
        table.add_row(
            step["name"],
            f"{step.get('kept', 0):,}",
            f"{step.get('changed', 0):,}",
            f"{step.get('dropped', 0):,}",
            ", ".join(f"{why} ({number:,})" for why, number in list(whys.items())[:3]),
            f"{rate:,}" if rate else "",
        )
    return table


def _sentences(card: Mapping[str, Any]) -> Iterator[RenderableType]:
    escalating = card.get("should_escalate", {})
    if any(escalating.values()):
        yield (
            f"A person should answer {escalating.get('train', 0):,} that are trained on, "
            f"{escalating.get('held_out', 0):,} held out."
        )
    if number := card.get("sent_back_to_review"):
        yield f"{number:,} approved examples contradict others and wait in review again."
    if pages := card.get("documents"):
        yield f"Documents: {pages['pages']:,} pages, {pages['characters']:,} characters."
    if made := card.get("augmentation"):
        dropped = ", ".join(f"{number:,} {why}" for why, number in made["dropped"].items())
        yield (
            f"Other wordings by {made['written_by'] or 'nobody'}: {made['added']:,} of "
            f"{made['written']:,} kept, from {made['examples']:,} corrections"
            + (f"; left out: {dropped}." if dropped else ".")
        )
    if number := card.get("synthetic"):
        yield f"{number:,} of the examples are synthetic; none of them is held out."


def _samples(card: Mapping[str, Any]) -> Iterator[RenderableType]:
    if samples := card.get("samples"):
        yield Text("\nSamples", style="italic")
        for sample in samples:
            yield Text(f"{sample['id']}\n  asked: {sample['asked']}\n  answer: {sample['answer']}")
