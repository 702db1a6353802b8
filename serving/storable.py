"""The text that a request may bring into the records. Pure.

What JSON Schema says of it (`pattern`) and what is checked here are one rule: patterns are read by
engines that disagree on what white space is, so that it is spelled out.
"""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

BLANK = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""All that any of Python, Rust and ECMAScript calls white space."""

WITHOUT_NUL = r"^[^\x00]*$"
WITH_WORDS = r"^[^\x00]*[^\x00\s\x1c-\x1f\x85\uFEFF][^\x00]*$"


def is_blank(text: str) -> bool:
    """Whether a text holds nothing to be read."""
    return not text.strip(BLANK)


def _storable(value: str) -> str:
    if "\x00" in value:  # PostgreSQL cannot keep it
        raise PydanticCustomError("nul", "it must not hold a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError("surrogate", "it must be valid Unicode") from None
    return value


def _with_words(value: str) -> str:
    if is_blank(value):
        raise PydanticCustomError("blank", "it must hold more than white space")
    return _storable(value)


Storable = Annotated[
    str, AfterValidator(_storable), Field(json_schema_extra={"pattern": WITHOUT_NUL})
]
"""A text of a body or a path that every database can keep or look up."""

Words = Annotated[
    str,
    AfterValidator(_with_words),
    Field(min_length=1, json_schema_extra={"pattern": WITH_WORDS}),
]
"""The same, with something to be read in it."""
