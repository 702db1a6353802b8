"""Taking samples out of JSON that was kept for people: cards, manifests. Pure."""

from collections.abc import Collection
from typing import Any


def without(value: Any, ids: Collection[str]) -> tuple[Any, int]:
    """The value without those objects of its lists that name one of `ids`, and how many went.

    Whoever keeps somebody's words in JSON keeps them in an object that also names their example:
    `{"id": "ex_…", "asked": …}`. So words are found without being known.
    """
    if isinstance(value, list):
        kept = [item for item in value if not _names(item, ids)]
        cleaned = [without(item, ids) for item in kept]
        gone = len(value) - len(kept) + sum(count for _, count in cleaned)
        return [item for item, _ in cleaned], gone
    if isinstance(value, dict):
        inner = {key: without(item, ids) for key, item in value.items()}
        return {key: item for key, (item, _) in inner.items()}, sum(n for _, n in inner.values())
    return value, 0


def _names(item: Any, ids: Collection[str]) -> bool:
    if not isinstance(item, dict):
        return False
    return any(isinstance(value, str) and value in ids for value in item.values())
