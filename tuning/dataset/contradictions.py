"""Nearly the same question with different right answers: which of them may train.

The rule, for examples of one cluster of prompts (`duplicates.cluster_prompts`):

1. The one that counts most is that of the weightiest source (`cleaning.WEIGHTS`), of these the
   newest. What says the same agrees with it.
2. What customers accepted never stands against the team's word: it is replaced.
3. What says otherwise is *replaced* where the one that counts most is from a weightier source and
   newer: a flag corrects the import or the reply of an earlier time.
4. Else the two *contradict* each other. Nobody knows which is right, so all that people approved of
   the cluster go back to review, each with one that says otherwise, and none of the cluster trains
   now. What people approve once more in spite of that trains: it was meant.
"""

from collections.abc import Collection, Generator
from contextlib import closing

import pyarrow as pa

from tuning.dataset.settling import Doubted, Settle, Settled
from tuning.dataset.sheet import BEST_FIRST, Sheet

_BATCH = 1000
REPLACED, CONTRADICTED = "replaced by a newer correction", "contradictions"


def drop_replaced(sheet: Sheet) -> None:
    """Drop what a newer and weightier example corrects; wants `duplicates.cluster_prompts`."""
    _stand(sheet)
    with sheet.step(REPLACED):
        sheet.drop(
            "SELECT n, best AS because, 'replaced by {other}' AS why FROM standings "
            "WHERE standing = 'replaced'"
        )


def drop_contradictions(sheet: Sheet, settle: Settle) -> Settled:
    """Send back what contradicts, and leave its clusters out of this dataset."""
    with sheet.step(CONTRADICTED):
        with closing(_contested(sheet)) as found:
            settled = settle(found)
        _note(sheet, "sent_back", settled.sent_back)
        _note(sheet, "approved_again", settled.approved_again)
        sheet.drop("""
            SELECT n, other AS because, '{other} answers otherwise' ||
                CASE WHEN sent_back.id IS NULL THEN '' ELSE '; back to review' END AS why
            FROM opponents LEFT JOIN sent_back USING (id) ANTI JOIN approved_again USING (id)
        """)
    return settled


def _contested(sheet: Sheet) -> Generator[Doubted, None, None]:
    for batch in sheet.batches(_CONTESTED, rows=_BATCH):
        for row in batch.to_pylist():
            yield Doubted(row["id"], row["other"])


def _note(sheet: Sheet, table: str, ids: Collection[str]) -> None:
    sheet.keep(table, pa.table({"id": pa.array(sorted(ids), pa.string())}))


def _stand(sheet: Sheet) -> None:
    """How each example of a cluster stands to the one that counts most of it."""
    sheet.run(f"""
        CREATE TABLE standings AS
        WITH members AS (
            SELECT n, id, rank, created, cluster, meaning, first_value(n) OVER best AS best,
                first_value(rank) OVER best AS best_rank,
                first_value(created) OVER best AS best_created,
                first_value(meaning) OVER best AS best_meaning
            FROM live JOIN meanings USING (n) WHERE source <> 'declined'
            WINDOW best AS (PARTITION BY cluster ORDER BY {BEST_FIRST})
        )
        SELECT n, id, rank, created, cluster, best, best_rank, best_created, CASE
            WHEN meaning = best_meaning THEN 'agrees'
            WHEN rank = 0 OR (best_rank > rank AND best_created > created) THEN 'replaced'
            ELSE 'contradicts' END AS standing
        FROM members
    """)  # noqa: S608 - names of ours
    sheet.run(f"""
        CREATE VIEW opponents AS
        WITH against AS (
            SELECT cluster, first(n ORDER BY {BEST_FIRST}) AS other FROM standings
            WHERE standing = 'contradicts' GROUP BY cluster
        )
        SELECT n, id, rank, created, best_rank, best_created, cluster,
            CASE WHEN standing = 'agrees' THEN other ELSE best END AS other
        FROM standings JOIN against USING (cluster) WHERE standing <> 'replaced'
    """)  # noqa: S608 - names of ours


_CONTESTED = """
    SELECT opponents.id, others.id AS other
    FROM opponents JOIN standings others ON others.n = opponents.other
    WHERE opponents.rank > 0
    ORDER BY opponents.best_rank DESC, opponents.best_created DESC, opponents.cluster, opponents.id
"""
