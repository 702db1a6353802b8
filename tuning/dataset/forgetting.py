"""The forgetting suite: accepted answers that are never trained on, so that they can be asked.

Which ones is decided by a hash of the question alone, for good: a history that grows adds to them
and takes none away. It is the hash by which replay is chosen, from its other end.
"""

from tuning.dataset.balance import TEACHING
from tuning.dataset.examples import place
from tuning.dataset.sheet import Sheet

NAME = "kept apart, to see what is forgotten"
KEPT_APART_SPLIT = "kept_apart"
"""The word for it in `DatasetExample.split`, beside `train` and `held_out`."""
MOST = 200
"""Questions that are asked: more would make each evaluation longer, and show little more."""
LEAST_ACCEPTED = 500
"""Accepted answers from which on some are kept apart: of fewer, each is needed for replay."""


def is_kept_apart(key: str, *, share: float) -> bool:
    """Whether an accepted answer is kept apart, by its prompt's key (`TrainingExample.prompt_key`).

    `share` (0..1) is about how many of them are.
    """
    return place("replay", key) >= 1 - share


def keep_apart(sheet: Sheet, *, share: float) -> int:
    """Make the table `apart` (n) of the suite, and drop from replay all that is tied to it.

    Tied is what has nearly the same question, and what is of the same conversation: its later
    turns hold the answer. Of questions that are nearly the same one is asked, where their answers
    agree; none that a correction is tied to, for then the old answer was perhaps not right.
    Returns how many there are. Wants `duplicates.cluster_prompts`.
    """
    sheet.run("CREATE TABLE apart (n INTEGER)")
    with sheet.step(NAME):
        if share <= 0 or sheet.count("source = 'accepted'") < LEAST_ACCEPTED:
            return 0
        sheet.run(
            """
            CREATE TABLE tied AS
            WITH marked AS (
                SELECT n, conversation FROM keys WHERE source = 'accepted' AND replay >= $1
            ),
            near AS (SELECT DISTINCT cluster FROM clusters JOIN marked USING (n)),
            talks AS (SELECT DISTINCT conversation FROM marked WHERE conversation IS NOT NULL)
            SELECT live.n, live.source, cluster, live.conversation, live.replay, live.id,
                marked.n IS NOT NULL OR cluster IN (SELECT cluster FROM near) AS chosen
            FROM live LEFT JOIN clusters USING (n) LEFT JOIN marked USING (n)
            WHERE (live.source = 'accepted' AND marked.n IS NOT NULL)
                OR cluster IN (SELECT cluster FROM near)
                OR live.conversation IN (SELECT conversation FROM talks)
            """,
            [1 - share],
        )
        sheet.run(f"""
            INSERT INTO apart
            WITH taught AS (SELECT cluster, conversation FROM tied WHERE {TEACHING}),
            asked AS (
                SELECT *, count(*) OVER (PARTITION BY coalesce(cluster, -1 - n)) AS answers
                FROM tied WHERE source = 'accepted'
            )
            SELECT n FROM asked
            WHERE answers = 1 AND chosen
                AND NOT EXISTS (FROM taught WHERE taught.cluster = asked.cluster)
                AND NOT EXISTS (FROM taught WHERE taught.conversation = asked.conversation)
            ORDER BY replay DESC, id LIMIT {MOST}
        """)  # noqa: S608 - names of ours
        sheet.drop(
            "SELECT n, NULL AS because, 'asked in evaluations, or tied to what is' AS why "
            "FROM tied WHERE source = 'accepted'"
        )
        return int(sheet.one("SELECT count(*) FROM apart")[0])
