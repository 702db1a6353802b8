"""Which letters a file's bytes stand for: sniffed, told, and never changed silently.

UTF-8 and UTF-16 are recognised for certain. Other bytes are guessed: a script that isn't Latin by
its letters (charset-normalizer), else windows-1252, which most office programs of the West write.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from records.errors import InvalidInput

_CHUNK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_FALLBACK = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)
_LATIN = ("Latin", "Control character", "Currency Symbols", "General Punctuation")
_NUL_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Encoding:
    """The name of an encoding, and whether it is only the likeliest one."""

    name: str
    guessed: bool = False

    @property
    def words(self) -> str:
        """As a person is told."""
        shown = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "windows-1252"}
        name = shown.get(self.name, self.name)
        return f"{name} (a guess: see --encoding if letters look wrong)" if self.guessed else name


def named(name: str) -> Encoding:
    """The encoding that a person named.

    Raises:
        InvalidInput: Python knows none of that name.
    """
    try:
        return Encoding(codecs.lookup(name).name)
    except LookupError as error:
        raise InvalidInput(
            f"There is no encoding {name!r}; try utf-8, windows-1252 or utf-16."
        ) from error


def of_file(path: Path) -> Encoding:
    """The encoding of a file, read through once, a megabyte in memory at a time."""
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE_BYTES)
        if known := _certain(sample):
            return known
        decoder = codecs.getincrementaldecoder("utf-8")()
        odd = b""
        piece = sample
        try:
            while piece:
                odd = piece
                decoder.decode(piece)
                piece = stream.read(_CHUNK_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _guessed(odd)
    return Encoding("utf-8")


def decoded(content: bytes) -> str:
    """The text of a whole small file; a web page's own word on its encoding counts."""
    encoding = _certain(content) or _declared(content)
    if encoding is None:
        try:
            return content.decode()
        except UnicodeDecodeError:
            encoding = _guessed(content)
    return content.decode(encoding.name, errors="replace")


def _certain(sample: bytes) -> Encoding | None:
    """By its byte-order mark, or by the NUL bytes of UTF-16."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name)
    even, odd = sample[::2], sample[1::2]
    if len(odd) and odd.count(0) > _NUL_SHARE * len(odd) and not even.count(0):
        return Encoding("utf-16-le")
    if len(even) and even.count(0) > _NUL_SHARE * len(even) and not odd.count(0):
        return Encoding("utf-16-be")
    return None


def _declared(content: bytes) -> Encoding | None:
    found = _META.search(content[:4096])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode()).name
    except LookupError:
        return None
    return None if name == "utf-8" else Encoding(name)


def _guessed(content: bytes) -> Encoding:
    from charset_normalizer import from_bytes

    first = next((at for at, byte in enumerate(content) if byte > 127), 0)
    sample = content[max(0, first - _SAMPLE_BYTES // 2) :][:_SAMPLE_BYTES]
    best = from_bytes(sample).best()
    if best is not None and not all(
        any(plain in script for plain in _LATIN) for script in best.alphabets
    ):
        return Encoding(best.encoding, guessed=True)
    try:
        content.decode(_FALLBACK)
    except UnicodeDecodeError:
        return Encoding("latin-1", guessed=True)
    return Encoding(_FALLBACK, guessed=True)
