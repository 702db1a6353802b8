"""Label noise on the sheet: which live examples the others disagree with, and what is done."""

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from records.states import DoubtKind
from tuning.dataset.label_noise import MOST_READ, Noise, Taught, find_noise
from tuning.dataset.options import LabelNoiseOptions
from tuning.dataset.rows import SCHEMA, from_record
from tuning.dataset.settling import Doubted, Settle, Settled
from tuning.dataset.sheet import Sheet

NAME = "label noise"
_FEWEST = 100
"""Among fewer examples, votes of the twenty nearest are those of nearly all."""
_BATCH = 4096
_JUDGED = "source <> 'declined'"


def doubt_noise(
    sheet: Sheet, options: LabelNoiseOptions, settle: Settle
) -> tuple[Noise | None, Settled]:
    """Look for examples that the others disagree with; with `send_back` they go back to review.

    What customers said is never sent back: nobody could answer. None where nothing was looked for.
    """
    judged = sheet.count(_JUDGED)
    if not options.look or judged < _FEWEST:
        return None, Settled()
    with sheet.step(NAME):
        noise = find_noise(_taught(sheet), features=options.features, least=options.least)
        noise = replace(noise, left_out=noise.left_out + max(0, judged - MOST_READ))
        if not options.send_back:
            return noise, Settled()
        settled = settle(iter(_doubted(sheet, noise)))
        sheet.keep("noisy", pa.table({"id": pa.array(sorted(settled.sent_back), pa.string())}))
        sheet.drop(
            "SELECT n, NULL AS because, 'others disagree; back to review' AS why "
            "FROM live JOIN noisy USING (id)"
        )
    return noise, settled


def _taught(sheet: Sheet) -> Iterator[Taught]:
    """Those that may be read, by their hashes, as `find_noise` itself would choose them."""
    columns = ", ".join(f"lessons.{name}" for name in SCHEMA.names)
    query = f"""
        SELECT {columns} FROM lessons JOIN (
            SELECT n FROM live WHERE {_JUDGED} ORDER BY noise, id LIMIT {MOST_READ}
        ) USING (n)
    """  # noqa: S608 - names of ours
    for batch in sheet.batches(query, rows=_BATCH):
        for record in batch.to_pylist():
            taught = Taught.of(from_record(record))
            if taught is not None:
                yield taught


def _doubted(sheet: Sheet, noise: Noise) -> list[Doubted]:
    """The candidates that people approved, the clearest first."""
    names = pa.array([one.id for one in noise.candidates], pa.string())
    sheet.keep("candidates", pa.table({"id": names}))
    asked = {
        name
        for (name,) in sheet.rows("SELECT id FROM live JOIN candidates USING (id) WHERE rank > 0")
    }
    return [
        Doubted(one.id, one.expected_id, DoubtKind.LABEL_NOISE, one.detail)
        for one in noise.candidates
        if one.id in asked
    ]
