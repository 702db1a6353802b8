"""Erasing a customer: files first, then the records in one transaction, then the database's file.

In this order, because the records say which files hold the customer's words. Whoever is cut off
runs it again: what was done is found done, and what was reached stands in the erasure's row.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from records import conversations, erasing
from records import reached as reaching
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.erasing import customer_hash
from records.errors import Conflict
from records.keys import local_key
from records.reached import Reached
from records.tables import OutboxMessage
from tuning.augmentation.asking import forget_all
from tuning.erasure import adapters, compaction, datasets, leftovers, quotations
from tuning.erasure.adapters import Trained
from tuning.erasure.datasets import Rewritten
from tuning.erasure.leftovers import Needles, Swept

_TRIES = 3
_KEY = "erasure"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a customer's words are looked for."""

    database: Database
    artifacts: Artifacts
    home: Path
    jobs: Path
    wordings: Path
    """What models were asked and answered where questions were worded anew."""
    assistants: tuple[Assistant, ...] = ()
    """Those whose frozen cases are looked through."""

    def hashed(self, customer: str) -> str:
        """What is kept of the customer's name."""
        return customer_hash(customer, key=local_key(self.home, _KEY))


@dataclass(slots=True)
class Erased:
    """What was reached, or would be; `left` says in sentences what is still to be done."""

    erasure_id: str | None
    counts: dict[str, int] = field(default_factory=dict)
    datasets: list[Rewritten] = field(default_factory=list)
    trained: list[Trained] = field(default_factory=list)
    shown: list[dict[str, str | None]] = field(default_factory=list)
    """Messages of the bot's in Slack: team, channel, ts, kind."""
    written: list[tuple[str, str]] = field(default_factory=list)
    """Channel and ts of messages that colleagues wrote to the customer."""
    cases: dict[str, list[int]] = field(default_factory=dict)
    """Lines of frozen cases, by their file."""
    left: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def plan(place: Place, customer: str) -> Erased:
    """What an erasure would reach; nothing is changed."""
    with place.database.read() as session:
        reached = reaching.reach(session, customer, place.hashed(customer))
        known = reaching.of_customer(session, place.hashed(customer))
        unfinished = [one for one in known if one.finished_at is None]
        for one in unfinished:
            reached = reached.with_(Reached.loaded(one.subjects))
        asked = reaching.texts(session, reached)
        erased = Erased(unfinished[0].id if unfinished else None)
        found = datasets.holding(session, reached.examples)
        _list(session, erased, reached, [dataset.id for dataset in found])
    lessons = datasets.lessons_from(place.artifacts, found, reached.examples)
    swept = leftovers.sweep_journals(place.home, Needles(_ids(reached), customer), only_look=True)
    erased.counts = {
        **_sizes(reached),
        "datasets": sum(dataset.erased_at is None for dataset in found),
        "lessons": datasets.count(place.artifacts, found, {*reached.examples, *lessons}),
        "reports": len(quotations.quoting(place.database, reached.assistants, asked)),
        "journal lines": swept.lines + sum(swept.held.values()),
        "job folders": _job_folders(place, reached, only_look=True),
        "cached wordings": _wordings(place, reached, only_look=True),
    }
    erased.cases = _cases(place, reached, asked)
    return erased


def erase(
    place: Place,
    customer: str,
    *,
    actor: str,
    clock: Callable[[], datetime],
    in_slack: bool = False,
) -> Erased:
    """Erase a customer; run again, it goes on where it was cut off or had to leave something.

    Raises:
        Conflict: a retraining that may hold the words waits or runs.
        StorageFull, StorageUnavailable: it is not done yet.
    """
    with place.database.write() as session:
        erasure = erasing.begin(session, place.hashed(customer), actor=actor)
    erased = Erased(erasure.id)
    for _ in range(_TRIES):
        reached = _note(place, erasure.id, customer)
        _erase_files(place, reached, customer, erased, at=clock())
        if _erase_records(
            place, reached, customer, erased, actor=actor, at=clock(), in_slack=in_slack
        ):
            break
    else:
        raise Conflict("The customer is being trained on again and again. Try once more.")
    _end(place, erased, at=clock())
    return erased


def sweep(place: Place, erasure_id: str, *, clock: Callable[[], datetime]) -> Erased:
    """Take what an erasure reached out of the files of this machine, where it was run elsewhere.

    Raises:
        NotFound: no such erasure.
    """
    with place.database.read() as session:
        reached = Reached.loaded(erasing.get(session, erasure_id).subjects)
    erased = Erased(erasure_id)
    copies = len(place.artifacts.drop_erased(datasets.FOLDER))
    with place.database.read() as session:
        held = [one.id for one in datasets.holding(session, reached.examples)]
        _list(session, erased, reached, held)
        amended = adapters.paths_of(session, erased.trained)
        amended += quotations.paths_of(session, reached.assistants)
    for path in amended:
        place.artifacts.refresh(path)
    _erase_files(place, reached, None, erased, at=clock())
    _add(erased.counts, {"copies of datasets": copies})
    return erased


def _note(place: Place, erasure_id: str, customer: str) -> Reached:
    """Find what holds the words, and keep its ids before anything is changed."""
    with place.database.read() as session:
        reached = reaching.reach(session, customer, place.hashed(customer))
        found = datasets.holding(session, reached.examples)
    lessons = datasets.lessons_from(place.artifacts, found, reached.examples)
    with place.database.write() as session:
        erasure = erasing.get(session, erasure_id)
        reached = reached.with_(Reached.loaded(erasure.subjects))
        reached = reached.with_(Reached(lessons=tuple(sorted(lessons))))
        erasing.require_no_job(session, reached.assistants)
        erasure.subjects = reached.dumped()
    return reached


def _erase_files(
    place: Place, reached: Reached, customer: str | None, erased: Erased, *, at: datetime
) -> None:
    database, artifacts = place.database, place.artifacts
    gone = {*reached.examples, *reached.lessons}
    with database.read() as session:
        found = datasets.holding(session, reached.examples)
        trained = adapters.trained_on(session, {one.id for one in found}, reached.assistants)
        asked = reaching.texts(session, reached)
    rewritten = [
        datasets.rewrite(database, artifacts, one, gone=gone, at=at, scratch=place.home / "erasing")
        for one in found
    ]
    erased.datasets = _merged(erased.datasets, rewritten)
    manifests, kept = adapters.clean_manifests(database, artifacts, trained, gone)
    swept = leftovers.sweep_journals(place.home, Needles(_ids(reached), customer))
    _add(
        erased.counts,
        {
            "datasets": sum(one.lessons > 0 for one in rewritten),
            "lessons": sum(one.lessons for one in rewritten),
            "datasets that nobody knew": datasets.drop_orphans(database, artifacts, gone),
            "cards": datasets.clean_cards(database, artifacts, reached.assistants, gone),
            "manifests": manifests,
            "reports": quotations.clean_reports(database, artifacts, reached.assistants, asked),
            "job folders": _job_folders(place, reached),
            "journal lines": swept.lines,
            "cached wordings": _wordings(place, reached),
        },
    )
    leftovers.drop_unfinished(database, artifacts.cache, now=time.time())
    erased.cases = {**erased.cases, **_cases(place, reached, asked)}
    erased.left = [*_held(swept), *_probes(kept)]


def _erase_records(
    place: Place,
    reached: Reached,
    customer: str,
    erased: Erased,
    *,
    actor: str,
    at: datetime,
    in_slack: bool,
) -> bool:
    """Whether it is done; if not, a dataset was made meanwhile, and nothing is changed."""
    with place.database.write() as session:
        hashed = place.hashed(customer)
        conversations.lock(session, reaching.reach(session, customer, hashed).conversations)
        fresh = reaching.reach(session, customer, hashed)  # now that nobody can add to it
        erasing.require_no_job(session, {*reached.assistants, *fresh.assistants})
        if any(one.erased_at is None for one in datasets.holding(session, fresh.examples)):
            return False
        counts = erasing.blank(session, fresh, customer, actor=actor, at=at, in_slack=in_slack)
        reached = reached.with_(fresh)
        erasure = erasing.get(session, erased.erasure_id or "")
        erasure.subjects = reached.dumped()
        _add(erased.counts, counts)
        held = datasets.holding(session, reached.examples)
        _list(session, erased, reached, [one.id for one in held])
        erasure.versions = [one.version for one in erased.trained]
        erasure.counts = {**erasure.counts, **{k: n for k, n in erased.counts.items() if n}}
    return True


def _end(place: Place, erased: Erased, *, at: datetime) -> None:
    in_the_way = compaction.compact(place.database)
    if in_the_way is not None:
        erased.left.append(in_the_way)
    if not erased.left:
        with place.database.write() as session:
            erasing.finish(session, erased.erasure_id or "", counts={}, at=at)


def _list(session: Session, erased: Erased, reached: Reached, held: list[str]) -> None:
    """Say what was trained on the words, and where Slack shows them."""
    erased.trained = adapters.trained_on(session, held, reached.assistants)
    erased.shown = [_place_of(row) for row in reaching.shown_in_slack(session, reached)]
    erased.written = reaching.written_in_slack(session, reached)


def _place_of(row: OutboxMessage) -> dict[str, str | None]:
    return {"team": row.team, "channel": row.channel, "ts": row.ts, "kind": row.kind}


def _ids(reached: Reached) -> set[str]:
    return {*reached.subjects, *reached.threads}


def _sizes(reached: Reached) -> dict[str, int]:
    named = ("conversations", "turns", "escalations", "flags", "examples", "outcomes")
    return {name: len(getattr(reached, name)) for name in named}


def _job_folders(place: Place, reached: Reached, *, only_look: bool = False) -> int:
    if not reached.examples:
        return 0
    return leftovers.drop_job_folders(
        place.database, place.jobs, reached.assistants, only_look=only_look
    )


def _wordings(place: Place, reached: Reached, *, only_look: bool = False) -> int:
    """The cache of wordings, which is found by hashes only: it is forgotten as a whole."""
    is_there = bool(reached.examples) and place.wordings.exists()
    if is_there and not only_look:
        forget_all(place.wordings)
    return int(is_there)


def _cases(place: Place, reached: Reached, asked: frozenset[str]) -> dict[str, list[int]]:
    found = {}
    for assistant in place.assistants:
        if assistant.name in reached.assistants and assistant.cases:
            lines = quotations.case_lines(assistant, asked)
            if lines:
                found[str(assistant.cases)] = lines
    return found


def _held(swept: Swept) -> list[str]:
    return [
        f"{lines} lines stand in a journal that {owner} holds. Restart {owner} and see that the "
        "database works, then run this again."
        for owner, lines in swept.held.items()
    ]


def _probes(kept: list[str]) -> list[str]:
    return [
        f"{version} serves, and can be proved by these words only: its manifest keeps their token "
        "ids. Retrain, promote the new version, then run this again."
        for version in kept
    ]


def _merged(known: list[Rewritten], new: list[Rewritten]) -> list[Rewritten]:
    by_id = {one.old: one for one in known}
    for one in new:
        before = by_id.get(one.old)
        by_id[one.old] = before if before and before.lessons else one
    return list(by_id.values())


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number
