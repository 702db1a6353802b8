"""What of a dataset a trial sees: all corrections, its share of replay, half of what is held out.

One snapshot serves all trials. It holds the most replay that a trial may want; each takes those
that come first by a hash of their prompts, so that more replay is the same and some more, and the
share of the recipe gives what a training without a search would have. What is held out keeps the
recipe's mix whatever a trial trains on, and is halved: by one half recipes are chosen, by the
other the chosen one is reported.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.cases import prompt_id
from records.errors import ConfigurationError
from records.messages import from_chat
from records.states import ExampleSource
from tuning.dataset.examples import place
from tuning.dataset.rows import DOCUMENTS, HELD_OUT, TRAIN, Row, read_rows, write_rows

LEAST_PROMPTS = 20
"""In each half. By fewer, chance alone would choose."""
REPORT = "report.parquet"


@dataclass(frozen=True, slots=True)
class Halves:
    """Ids of held-out lessons."""

    search: frozenset[str]
    report: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Place:
    id: str
    replay: bool
    at: float
    """Where its prompt falls among those for replay, 0..1."""
    half: float
    """Where it falls between the halves, 0..1."""


def halve(held_out: Iterable[Row], *, replay_share: float, replay_limit: int) -> Halves:
    """Divide what is held out, in the mix that the recipe wants. Pure.

    Raises:
        ConfigurationError: a half would be too small to choose by.
    """
    known = [_place(row) for row in held_out if row.answer is not None]
    replay = sorted((one for one in known if one.replay), key=lambda one: (one.at, one.id))
    others = [one for one in known if not one.replay]
    wanted = replay_count(len(others), share=replay_share, limit=replay_limit)
    mixed = [*others, *replay[:wanted]]
    search = frozenset(one.id for one in mixed if one.half < 0.5)
    report = frozenset(one.id for one in mixed if one.half >= 0.5)
    if min(len(search), len(report)) < LEAST_PROMPTS:
        raise ConfigurationError(
            f"A search chooses by held-out answers, and there are too few: {len(search)} to choose "
            f"by and {len(report)} to report on; {LEAST_PROMPTS} of each are the least. Approve "
            "more corrections, raise the recipe's held_out_share, or retrain without --budget."
        )
    return Halves(search, report)


def replay_count(others: int, *, share: float, limit: int) -> int:
    """How many accepted answers make `share` of a whole with so many others."""
    return min(limit, round(others * share / (1 - share)))


def has_replay(dataset: Path) -> bool:
    """Whether there is anything to replay."""
    return any(_is_replay(row) for row in read_rows(dataset / TRAIN))


def write_trial_data(
    source: Path, target: Path, *, halves: Halves, replay_share: float, replay_limit: int
) -> int:
    """Write the dataset that a trial trains on; returns how many of its lessons are replayed.

    The rows are read and written a batch at a time.
    """
    target.mkdir(parents=True, exist_ok=True)
    replayed = _replayed(source / TRAIN, share=replay_share, limit=replay_limit)
    train = (r for r in read_rows(source / TRAIN) if not _is_replay(r) or r.id in replayed)
    write_rows(target / TRAIN, train)
    write_rows(target / HELD_OUT, _named(source / HELD_OUT, halves.search))
    documents = target / DOCUMENTS
    if (source / DOCUMENTS).exists() and not documents.exists():
        documents.symlink_to((source / DOCUMENTS).resolve())
    return len(replayed)


def write_report_half(source: Path, target: Path, *, halves: Halves) -> Path:
    """Write the half that recipes were not chosen by; returns the file."""
    target.mkdir(parents=True, exist_ok=True)
    write_rows(target / REPORT, _named(source / HELD_OUT, halves.report))
    return target / REPORT


def _named(path: Path, ids: frozenset[str]) -> Iterator[Row]:
    return (row for row in read_rows(path) if row.id in ids)


def _replayed(train: Path, *, share: float, limit: int) -> frozenset[str]:
    others, replay = 0, []
    for row in read_rows(train):
        if _is_replay(row):
            one = _place(row)
            replay.append((one.at, one.id))
        else:
            others += 1
    wanted = replay_count(others, share=share, limit=limit)
    return frozenset(name for _, name in sorted(replay)[:wanted])


def _is_replay(row: Row) -> bool:
    return row.source == ExampleSource.ACCEPTED


def _place(row: Row) -> _Place:
    key = prompt_id(from_chat(row.prompt))
    return _Place(row.id, _is_replay(row), place("replay", key), place("search", key))
