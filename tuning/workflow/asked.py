"""What a job asks for: read anew by each step, from the records and the assistant's file."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from records import jobs
from records.assistant import Assistant, pick_assistant, read_assistants
from records.database import Database
from tuning.search.ordered import Search, search_of
from tuning.search.space import widest
from tuning.training.recipe import Recipe, resolve


@dataclass(frozen=True, slots=True)
class Asked:
    """An assistant, how it is to be trained, and from what on."""

    assistant: Assistant
    recipe: Recipe
    since: datetime | None
    """Corrections approved before are left out, where a time is named."""
    search: Search | None
    """Where a recipe is to be found first."""

    @property
    def widest(self) -> Recipe:
        """The recipe that all of its trainings must fit."""
        return widest(self.search.space) if self.search is not None else self.recipe

    @property
    def longest(self) -> int:
        """The most tokens of an example: the recipe's, or the engine's where that is less."""
        return min(self.recipe.max_length, self.assistant.engine.max_model_len)


def read_asked(database: Database, assistants: Path, job_id: str) -> Asked:
    """Read what a job asks for.

    Raises:
        NotFound: no such job, or no such assistant any more.
        ConfigurationError, AdapterUnservable: the assistant's file or the recipe cannot be used.
        StorageUnavailable: the records cannot be read now.
    """
    with database.read() as session:
        job = jobs.get(session, job_id)
    assistant = pick_assistant(read_assistants(assistants), job.assistant)
    recipe = resolve(assistant.recipe, job.options.get("recipe") or {})
    since = job.options.get("since")
    return Asked(
        assistant,
        recipe,
        datetime.fromisoformat(since) if since else None,
        search_of(job.options, assistant, recipe),
    )
