"""The text that a request may bring into the records: any but one that holds NUL."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _without_nul(value: str) -> str:
    if "\x00" in value:  # PostgreSQL cannot keep it
        raise PydanticCustomError("nul", "it must not hold a NUL character")
    return value


Storable = Annotated[str, AfterValidator(_without_nul)]
"""A text of a body or a path that every database can keep or look up."""
