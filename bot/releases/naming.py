"""How versions are named to people, by the records."""

from sqlalchemy.orm import Session

from bot.views.version_names import VersionNames
from records import versions


def names_of(session: Session, *assistants: str) -> VersionNames:
    """The names of assistants' versions."""
    return VersionNames(versions.numbers(session, *assistants))
