"""Examples that teach the same: equal ones, and nearly the same questions with one answer."""

import time
from collections.abc import Iterator
from itertools import chain, groupby
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuning.dataset.cleaning import SIGNATURE
from tuning.dataset.components import Numbers, components
from tuning.dataset.crew import Crew
from tuning.dataset.nearness import Asked, Bands, nearly_same, plausible, says_the_same
from tuning.dataset.sheet import BEST_FIRST, Sheet

EXACT, SEARCH, NEAR = "exact duplicates", "near-duplicate search", "near duplicates"
_PAIRS = 8192
"""Pairs that are compared at once."""


def drop_equal(sheet: Sheet) -> None:
    """Of examples with the same prompt and answer, keep the one that counts most."""
    with sheet.step(EXACT):
        sheet.drop(_but_the_best("prompt, answer", "live", why="the same as {other}"))


def drop_nearly_equal(sheet: Sheet) -> None:
    """Of nearly the same prompts with answers that say the same, keep the one that counts most.

    Wants `cluster_prompts`.
    """
    with sheet.step(NEAR):
        members = "(SELECT * FROM live JOIN meanings USING (n))"
        sheet.drop(_but_the_best("cluster, meaning", members, why="nearly the same as {other}"))


def _but_the_best(same: str, table: str, *, why: str) -> str:
    """All rows of a table but, of those that are the `same`, the one that counts most."""
    return f"""
        SELECT n, best AS because, '{why}' AS why FROM (
            SELECT n, first_value(n) OVER (PARTITION BY {same} ORDER BY {BEST_FIRST}) AS best
            FROM {table}
        ) WHERE n <> best
    """  # noqa: S608 - names of ours


def cluster_prompts(sheet: Sheet, crew: Crew, *, bands: Bands | None, least: float) -> None:
    """Find prompts that are nearly the same, over others too, and say what their answers mean.

    Makes the table `clusters` (n, cluster) of those that are not alone, and `meanings`. In each
    band a prompt is compared with the first of those it shares the band's hash with, not with each
    of them: so the work grows with the number of prompts, however many of them are alike, and those
    that the first is not like still meet in other bands.
    """
    with sheet.step(SEARCH) as tally:
        found = [np.stack(sheet.numbers(_with_first("prompt")))]
        if bands is not None:
            _propose(sheet, bands, least=least)
            for pairs, seconds in crew.run(_verify, _proposed(sheet, least=least)):
                found.append(pairs)
                if crew.processes > 1:  # else it is in our own time already
                    tally.seconds += seconds
        _keep_clusters(sheet, components(sheet.size, *np.concatenate(found, axis=1)))
        _compare_answers(sheet, least=least)


def _propose(sheet: Sheet, bands: Bands, *, least: float) -> None:
    """Make the table `proposed` (n, first) of pairs that are worth comparing."""
    sheet.run("CREATE TABLE pairs (n INTEGER, first INTEGER)")
    for band in bands.names:
        sheet.run(f"INSERT INTO pairs {_with_first(band)}")
    query = f"""
        SELECT n, first, own.{SIGNATURE} AS ones, other.{SIGNATURE} AS others
        FROM (SELECT DISTINCT n, first FROM pairs)
        JOIN keys own USING (n) JOIN keys other ON other.n = first
    """  # noqa: S608 - names of ours
    found = [np.empty((2, 0), np.int32)]
    for batch in sheet.batches(query, rows=_PAIRS):
        ones, others = (_bytes(batch.column(name), bands.width) for name in ("ones", "others"))
        pairs = np.stack([batch.column("n").to_numpy(), batch.column("first").to_numpy()])
        found.append(pairs[:, plausible(ones, others, least=least)])
    members, firsts = np.concatenate(found, axis=1)
    sheet.keep("proposed", pa.table({"n": members, "first": firsts}))
    sheet.run("DROP TABLE pairs")


def _bytes(column: pa.Array, width: int) -> NDArray[np.uint8]:
    """Blobs of one width as the rows of a table."""
    fixed = column.cast(pa.binary(width))
    start = fixed.offset * width
    return np.frombuffer(fixed.buffers()[1], np.uint8)[start:][: len(fixed) * width].reshape(
        -1, width
    )


def _with_first(key: str) -> str:
    """Live examples beside the first that shares a key with them, which is another one."""
    return f"""
        SELECT n, first FROM (
            SELECT n, min(n) OVER (PARTITION BY {key}) AS first FROM live WHERE {key} IS NOT NULL
        ) WHERE n <> first
    """  # noqa: S608 - names of ours


def _proposed(sheet: Sheet, *, least: float) -> Iterator[tuple[pa.RecordBatch, float]]:
    query = """
        SELECT n, first, own.last, own.talk, other.last AS first_last, other.talk AS first_talk
        FROM proposed JOIN keys own USING (n) JOIN keys other ON other.n = first
        ORDER BY first, n
    """
    for batch in sheet.batches(query, rows=_PAIRS):
        yield batch, least


def _verify(given: tuple[pa.RecordBatch, float]) -> tuple[Numbers, float]:
    """Of pairs those that are nearly the same, as two rows of numbers; and seconds of work.

    Neighbours share `first`, so that it is looked at once.
    """
    started = time.process_time()
    batch, least = given
    columns = [batch.column(name).to_pylist() for name in batch.schema.names]
    alike = []
    for first, rows in groupby(zip(*columns, strict=True), key=lambda row: row[1]):
        other: Asked | None = None
        for n, _, last, talk, first_last, first_talk in rows:
            other = other or Asked(first_last, first_talk)
            if (last, talk) == (first_last, first_talk) or nearly_same(
                Asked(last, talk), other, least=least
            ):
                alike.append((n, first))
    return np.array(alike, np.int32).reshape(-1, 2).T, time.process_time() - started


def _keep_clusters(sheet: Sheet, labels: Numbers) -> None:
    """Make the table of clusters, without those of one."""
    sizes = np.bincount(labels, minlength=len(labels))
    members = np.flatnonzero(sizes[labels] > 1).astype(np.int32)
    sheet.keep("clusters", pa.table({"n": members, "cluster": labels[members]}))


def _compare_answers(sheet: Sheet, *, least: float) -> None:
    """Say of each example of a cluster what it means: the table `meanings` (n, cluster, meaning).

    Two of a cluster mean the same where their answers are equal, or where both say the same as the
    answer of the one that counts most. What customers declined has no right answer, and means the
    same as what is equal only.
    """
    query = f"""
        SELECT n, cluster, escalates, said
        FROM live JOIN clusters USING (n)
        JOIN (SELECT n, answer AS said FROM lessons) USING (n)
        WHERE source <> 'declined' AND cluster IN (
            SELECT cluster FROM live JOIN clusters USING (n) WHERE source <> 'declined'
            GROUP BY cluster HAVING count(DISTINCT answer) > 1
        ) ORDER BY cluster, {BEST_FIRST}
    """  # noqa: S608 - names of ours
    same = np.fromiter(_agreeing(sheet.batches(query, rows=_PAIRS), least=least), np.int32)
    sheet.keep("agreeing", pa.table({"n": same}))
    sheet.run("""
        CREATE TABLE meanings AS
        SELECT n, cluster, CASE WHEN agreeing.n IS NULL THEN answer ELSE 0 END AS meaning
        FROM live JOIN clusters USING (n) LEFT JOIN agreeing USING (n)
    """)


def _agreeing(batches: Iterator[pa.RecordBatch], *, least: float) -> Iterator[int]:
    """Of clusters, the best first, those that say the same as the best, itself included."""
    rows = chain.from_iterable(batch.to_pylist() for batch in batches)
    best: dict[str, Any] = {}
    for row in rows:
        if row["cluster"] != best.get("cluster"):
            best = row
        agrees = row["escalates"] == best["escalates"] and says_the_same(
            row["said"] or "", best["said"] or "", least=least
        )
        if agrees:
            yield row["n"]
