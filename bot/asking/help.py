"""How to ask, with the versions that there are now."""

from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.releases.naming import names_of
from bot.views.asking_help import help_message
from bot.views.content import Content
from records import versions


def help_for(session: Session, desk: Desk, *, opening: bool) -> Content:
    """The message that says how to ask; `opening` greets too."""
    names = sorted(desk.assistants)
    listed = [v.id for name in names for v in reversed(versions.listed(session, name))]
    pointers = [versions.pointer(session, name) for name in names]
    champions = [pointer.version for pointer in pointers if pointer is not None]
    first = [version for version in listed if version in champions]
    others = [version for version in listed if version not in champions]
    return help_message(
        names,
        [*first, *others],
        champions=champions,
        compared=_two(session, names),
        opening=opening,
        names=names_of(session, *names),
    )


def _two(session: Session, names: list[str]) -> tuple[str, str] | None:
    """The newest version of an assistant that has several, and its champion."""
    for name in names:
        pointer = versions.pointer(session, name)
        champion = pointer.version if pointer else None
        others = [v.id for v in versions.listed(session, name) if v.id != champion]
        if champion is not None and others:
            return others[-1], champion
    return None
