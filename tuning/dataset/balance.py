"""How much of what is trained on: a cap for topics, replay's share, and weights by age."""

from records.errors import ConfigurationError
from tuning.dataset.options import DataOptions
from tuning.dataset.sheet import BEST_FIRST, Sheet
from tuning.training.recipe import Recipe

CAP, REPLAY = "beyond a topic's cap", "replay beyond its share"
CORRECTIONS = "source NOT IN ('accepted', 'declined')"
"""What the team taught."""
TEACHING = "source <> 'accepted'"
"""What teaches something new; declined answers are there only where thumbs are trained on."""
_MICROSECONDS_PER_DAY = 86_400_000_000


def cap_topics(sheet: Sheet, recipe: Recipe, options: DataOptions) -> None:
    """Keep at most so many lessons of a topic, those that count most; without a topic all stay.

    Raises:
        ConfigurationError: the recipe caps topics, and nothing says what a topic is.
    """
    if recipe.topic_cap is None:
        return
    if not options.topic:
        raise ConfigurationError(
            "The recipe's topic_cap needs the assistant's data.topic: the key of `slice` that "
            "names an example's topic."
        )
    with sheet.step(CAP):
        sheet.drop(
            f"""
            SELECT n, NULL AS because, topic AS why FROM (
                SELECT n, topic,
                    row_number() OVER (PARTITION BY topic ORDER BY {BEST_FIRST}) AS place
                FROM live WHERE topic IS NOT NULL
            ) WHERE place > ?
            """,  # noqa: S608 - names of ours
            [recipe.topic_cap],
        )


def mix_replay(sheet: Sheet, *, share: float, limit: int) -> None:
    """Keep all else, and accepted answers up to `share` of the whole and `limit`.

    Which ones is decided by hash, so that a growing history changes the choice little. A share of
    0 trains on corrections alone ("naive").
    """
    others = sheet.count(TEACHING)
    wanted = min(limit, round(others * share / (1 - share)))
    with sheet.step(REPLAY):
        sheet.drop(
            """
            SELECT n, NULL AS because, 'enough of them' AS why FROM (
                SELECT n, row_number() OVER (ORDER BY replay, id) AS place
                FROM live WHERE source = 'accepted'
            ) WHERE place > ?
            """,
            [wanted],
        )


def weigh(sheet: Sheet, *, half_life_days: float | None) -> None:
    """Make the table `weights` (n, weight): a correction of that age counts half.

    The age is that beside the newest correction, not beside now: the same examples give the same
    dataset on any day. What customers said, and what keeps old skills, does not age.
    """
    age = f"(newest - created) / {_MICROSECONDS_PER_DAY}"
    aged = (
        "weight"
        if half_life_days is None
        else (
            f"CASE WHEN {CORRECTIONS} THEN greatest(0.0001, round(weight * "
            f"pow(0.5, {age} / {half_life_days:f}), 4)) ELSE weight END"
        )
    )
    sheet.run(
        f"CREATE TABLE weights AS SELECT n, {aged} AS weight FROM live, "  # noqa: S608 - ours
        f"(SELECT max(created) AS newest FROM live WHERE {CORRECTIONS})"
    )
