"""What people may name when they ask or compare: assistants, versions, arms."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.asking.question_grammar import Known
from records import experiments, versions


def vocabulary(session: Session, assistants: Sequence[str], *, here: str | None = None) -> Known:
    """The names of these assistants' versions; `here` is meant where no assistant is named."""
    champions, arms, owners = {}, {}, {}
    for name in assistants:
        owners.update({v.id: name for v in reversed(versions.listed(session, name))})
        pointer = versions.pointer(session, name)
        if pointer is not None:
            champions[name] = pointer.version
        experiment = experiments.running(session, name)
        if experiment is not None:
            arms[name] = {arm.name: arm.version for arm in experiment.arms}
    numbers = versions.numbers(session, *assistants)
    return Known(assistants, owners, champions, arms, numbers=numbers, here=here)
