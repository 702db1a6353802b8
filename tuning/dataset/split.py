"""Splitting into train and held-out so that nothing is on both sides.

Examples of one conversation, one customer, or nearly the same prompt stay together, also where they
are connected over a third example.
"""

import numpy as np
import pyarrow as pa

from tuning.dataset.balance import TEACHING
from tuning.dataset.components import components
from tuning.dataset.sheet import Sheet

_TIES = {
    "prompt": "live",
    "conversation": "live",
    "customer": "live",
    "cluster": "(SELECT * FROM live JOIN clusters USING (n))",
}


def split(sheet: Sheet, *, held_out_share: float) -> None:
    """Make the table `sides` (n, held): hold out about `held_out_share`, group by group.

    A group's side depends on a hash of its prompts alone, so that examples added later hardly move
    it. A group larger than the whole share is always trained on; and where nothing would be left to
    train on but replay, nothing is held out.
    """
    edges = [np.stack(sheet.numbers(_with_first(*tie))) for tie in _TIES.items()]
    labels = components(sheet.size, *np.concatenate(edges, axis=1))
    sheet.keep("groups", pa.table({"n": np.arange(sheet.size, dtype=np.int32), "label": labels}))
    sheet.run(
        """
        CREATE TABLE sides AS
        WITH grouped AS (SELECT live.*, label FROM live JOIN groups USING (n)),
        chosen AS (
            SELECT label, count(*) <= $1 * (SELECT count(*) FROM live)
                AND arg_min(split, prompt) < $1 AS held
            FROM grouped GROUP BY label
        )
        SELECT n, held FROM grouped JOIN chosen USING (label)
        """,
        [held_out_share],
    )
    (left,) = sheet.one(
        "SELECT count(*) FROM live JOIN sides USING (n) "  # noqa: S608 - ours
        f"WHERE NOT held AND {TEACHING}"
    )
    if not left:
        sheet.run("UPDATE sides SET held = false")


def _with_first(tie: str, table: str) -> str:
    """Live examples beside the first that they are tied to, which is another one."""
    return f"""
        SELECT n, first FROM (
            SELECT n, min(n) OVER (PARTITION BY {tie}) AS first FROM {table}
            WHERE {tie} IS NOT NULL
        ) WHERE n <> first
    """  # noqa: S608 - names of ours
