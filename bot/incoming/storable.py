"""What Slack sends, as every database can keep it.

People paste anything. What a database refuses would otherwise fail deep inside, again and again.
Pure.
"""

from typing import Any

from bot import text


def storable(value: Any) -> Any:
    """A JSON value with all its texts as every database can keep them."""
    if isinstance(value, str):
        return text.storable(value)
    if isinstance(value, dict):
        return {name: storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    return value
