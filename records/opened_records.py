"""The records, opened for a command as the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from records.settings import Settings

if TYPE_CHECKING:
    from records.database import Database


@contextmanager
def opened_records() -> "Iterator[tuple[Settings, Database]]":
    """Settings and the migrated database, closed at the end."""
    from records.database import Database

    settings = Settings.load()
    database = Database(settings.database)
    try:
        database.migrate()
        yield settings, database
    finally:
        database.close()


def assistant_of(settings: Settings, name: str | None) -> str:
    """The assistant that is meant; the only one where none is named."""
    from records.assistant import pick_assistant, read_assistants

    return pick_assistant(read_assistants(settings.assistants), name).name
