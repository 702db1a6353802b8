"""Sending examples that are doubted back to review."""

from collections.abc import Iterator
from itertools import islice

from records import doubts
from records.assistant import Assistant
from records.database import Database
from records.errors import NotFound
from tuning.dataset.settling import Doubted, Settle, Settled

_AT_ONCE = 50
"""Examples sent back in one transaction, so that others hardly wait for the write lock."""


def send_back(database: Database, assistant: Assistant, *, most: int, job: str | None) -> Settle:
    """A function that sends at most `most` examples back a time; those approved again stay so.

    Doing it once more changes nothing more: a job that goes on after a crash may.
    """

    def settle(found: Iterator[Doubted]) -> Settled:
        sent: set[str] = set()
        again: set[str] = set()
        while batch := list(islice(found, min(_AT_ONCE, most - len(sent)))):
            with database.write() as session:
                for one in sorted(batch, key=lambda one: one.example_id):
                    try:
                        waits = doubts.send_back(
                            session,
                            one.example_id,
                            kind=one.kind,
                            other_id=one.other_id,
                            detail=one.detail,
                            job_id=job,
                        )
                    except NotFound:  # erased meanwhile: it must not train either
                        continue
                    (sent if waits else again).add(one.example_id)
        with database.read() as session:
            answered = doubts.answered(session, assistant.name)
        again.update(one.example_id for one in found if (one.example_id, one.kind) in answered)
        return Settled(frozenset(sent), frozenset(again))

    return settle
