"""The README of an export, in the form of Hugging Face's dataset cards. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tuning.dataset.rows import Row

_OWN = "not stated"
_NAMED = 50
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"),
          (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))  # fmt: skip
_SPDX = (
    "apache-2.0", "mit", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cc-by-nc-4.0", "odbl",
)  # fmt: skip
"""Licences that Hugging Face knows by these names."""


@dataclass(slots=True)
class Contents:
    """What an export holds, counted while it is written."""

    sides: Counter[str] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By source and licence."""
    licences: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By file or page, and licence."""
    pairs: int = 0
    synthetic: int = 0
    synthetic_left_out: int = 0
    without_answer: int = 0

    def count(self, row: Row, side: str) -> None:
        """Take a row in."""
        licence = str(row.origin.get("licence") or _OWN)
        self.sides[side] += 1
        self.sources[row.source, licence] += 1
        self.licences[licence] += 1
        self.pairs += row.rejected is not None
        self.synthetic += row.synthetic_of is not None
        place = row.origin.get("file") or row.origin.get("page")
        if place and ((str(place), licence) in self.places or len(self.places) < _NAMED):
            self.places[str(place), licence] += 1


def card(about: Mapping[str, Any], contents: Contents, *, form: str, files: Sequence[str]) -> str:
    """The README: what is in it, from where, under which licences, and how to load it."""
    total = contents.sides.total()
    lines = [
        "---",
        yaml.safe_dump(_head(contents, form, files), sort_keys=False).strip(),
        "---",
        "",
        f"# {about['id']}",
        "",
        f"{total:,} lessons of the assistant `{about['assistant']}`: conversations with their "
        "right answers, each approved by a person or accepted by a customer. Customers' names and "
        "ids are not in it.",
        "",
        *_table(("part", "lessons"), sorted(contents.sides.items())),
        "",
        f"{contents.pairs:,} of them name an answer that was wrong as well; {contents.synthetic:,} "
        "are other wordings that were made of others.",
        "",
        "## Where they come from, and licences",
        "",
        *_table(
            ("source", "licence", "lessons"),
            [(*key, n) for key, n in sorted(contents.sources.items())],
        ),
        "",
    ]
    if contents.places:
        lines += [
            "Attribution:",
            "",
            *_table(
                ("file or page", "licence", "lessons"),
                [(*key, n) for key, n in sorted(contents.places.items())],
            ),
            "",
        ]
    lines += ["## Use", "", _use(form, files), ""]
    return "\n".join(lines)


def _head(contents: Contents, form: str, files: Sequence[str]) -> dict[str, Any]:
    total = contents.sides.total()
    stated = [name.lower() for name in contents.licences]
    licence = stated[0] if len(stated) == 1 and stated[0] in _SPDX else "other"
    head: dict[str, Any] = {
        "license": licence,
        "task_categories": ["text-generation"],
        "size_categories": [next((name for most, name in _SIZES if total < most), "n>10M")],
        "tags": ["understudy", "customer-support"],
    }
    found = [file for file in files if "preferences" not in file]
    pairs = [file for file in files if "preferences" in file]
    if form == "openai":
        pairs = []  # not in a form that `datasets` reads as a table of pairs
    head["configs"] = [
        {"config_name": name, "data_files": [{"split": _split(f), "path": f} for f in group]}
        for name, group in (("default", found), ("preferences", pairs))
        if group
    ]
    return head


def _split(file: str) -> str:
    return "train" if file.rpartition("/")[2].startswith("train") else "validation"


def _use(form: str, files: Sequence[str]) -> str:
    again = "understudy import FILE --approved"
    if form == "openai":
        return f"Upload `{files[0] if files else 'train.jsonl'}` for fine-tuning, or: `{again}`"
    return (
        "```python\nfrom datasets import load_dataset\n\n"
        f'lessons = load_dataset("FOLDER", split="train")\n```\n\nOr: `{again}`'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    ruled = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return ruled + ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
