"""Cases that a version was trained on: they say nothing of it and are left out."""

from collections.abc import Sequence

from sqlalchemy import select

from evaluation.cases import prompt_id
from records.database import Database
from records.messages import Message, Role
from records.tables import DatasetExample, Example, Version

KEPT_APART = "kept_apart"
"""The split of what a dataset holds to be asked, and never trained on."""


def trained_prompts(database: Database, versions: Sequence[Version]) -> set[str]:
    """Prompt ids of the examples in the versions' datasets that were trained on or held out."""
    datasets = [version.dataset_id for version in versions if version.dataset_id is not None]
    if not datasets:
        return set()
    query = (
        select(Example.prompt)
        .join(DatasetExample, DatasetExample.example_id == Example.id)
        .where(DatasetExample.dataset_id.in_(datasets), DatasetExample.split != KEPT_APART)
    )
    with database.read() as session:
        return {
            prompt_id(Message(Role(said["role"]), said["content"]) for said in prompt)
            for prompt in session.scalars(query)
        }
