"""Conversations that are exported as several rows: grouped on disk, put in order, made a chat.

The rows of a conversation need not stand together, and there may be more than memory holds.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, Self

from records.errors import InvalidInput

_BATCH_ROWS = 1000


class Speaker(StrEnum):
    """Who says a row."""

    CUSTOMER = "customer"
    AGENT = "agent"
    """Whoever answers: a person of the team, or a program."""
    SKIP = "skip"
    """Nobody: a note, an event."""


_WORDS: dict[str, Speaker] = {
    **dict.fromkeys(
        ("customer", "user", "client", "enduser", "requester", "visitor", "contact", "guest",
         "consumer", "human", "buyer", "inbound", "incoming", "in", "kunde", "kundin", "cliente"),
        Speaker.CUSTOMER,
    ),
    **dict.fromkeys(
        ("agent", "assistant", "support", "staff", "operator", "admin", "representative", "rep",
         "advisor", "bot", "chatbot", "ai", "gpt", "model", "team", "seller", "employee",
         "outbound", "outgoing", "out", "mitarbeiter", "mitarbeiterin", "agente"),
        Speaker.AGENT,
    ),
    **dict.fromkeys(
        ("system", "developer", "note", "internal", "internalnote", "private", "event", "tool"),
        Speaker.SKIP,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A row of a conversation, or why it can't be read."""

    line: int
    author: str
    text: str
    time: float | None = None
    customer: str | None = None
    about: Mapping[str, Any] | None = None
    """What else the row says of its conversation, as a lesson's line would."""
    problem: str | None = None


class Spool:
    """Rows on disk, given back by conversation; the conversations in the order in which they began.

    Use as `with Spool() as spool`.
    """

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="understudy-import-")
        self._database = sqlite3.connect(f"{self._folder.name}/rows", isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE;"
            "CREATE TABLE said (conversation TEXT, at REAL, line INTEGER, content TEXT);"
            "BEGIN"
        )
        self._waiting: list[tuple[str, float | None, int, str]] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def put(self, conversation: str, said: Said) -> None:
        """Keep a row."""
        content = json.dumps(
            [said.author, said.text, said.customer, said.about, said.problem], default=str
        )
        self._waiting.append((conversation, said.time, said.line, content))
        if len(self._waiting) >= _BATCH_ROWS:
            self._flush()

    def conversations(self) -> Iterator[tuple[str, list[Said]]]:
        """Each conversation with its rows: by their time, and those of one time as in the file."""
        self._flush()
        query = (
            "SELECT conversation, at, line, content,"
            " MIN(line) OVER (PARTITION BY conversation) AS began"
            " FROM said ORDER BY began, at, line"
        )
        with closing(self._database.execute(query)) as rows:
            for conversation, found in groupby(rows, key=lambda row: str(row[0])):
                yield conversation, [_said(at, line, content) for _, at, line, content, _ in found]

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO said VALUES (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


def to_chat(
    rows: Sequence[Said], *, speakers: Mapping[str, Speaker], by_name: bool
) -> list[dict[str, str]]:
    """The messages of a conversation in OpenAI's form, the last answer last. Pure.

    What one side says in several rows is one message. What comes before the customer's first word
    and after the last answer (thanks, mostly) is left out. With `by_name` an author may be a name:
    who speaks first, or has the customer's name, is the customer, and everybody else answers.

    Raises:
        InvalidInput: a row can't be used, an unknown role, or nobody answers.
    """
    for row in rows:
        if row.problem is not None:
            raise InvalidInput(row.problem)
    customer = _customers_name(rows, speakers) if by_name else None
    said = [
        (speaker, row.text.strip())
        for row in rows
        if row.text.strip() and (speaker := _speaker(row, speakers, customer)) is not Speaker.SKIP
    ]
    messages: list[dict[str, str]] = []
    for speaker, texts in groupby(said, key=lambda one: one[0]):
        role = "user" if speaker is Speaker.CUSTOMER else "assistant"
        messages.append({"role": role, "content": "\n\n".join(text for _, text in texts)})
    if messages and messages[0]["role"] == "assistant":
        messages = messages[1:]
    if messages and messages[-1]["role"] == "user":
        messages = messages[:-1]
    if not messages:
        raise InvalidInput("the conversation has no question that is answered")
    return messages


def parse_speakers(written: Sequence[str]) -> dict[str, Speaker]:
    """The words of `--role VALUE=customer|agent|skip`.

    Raises:
        InvalidInput: not such a pair.
    """
    found = {}
    for pair in written:
        value, equals, speaker = pair.rpartition("=")
        if not equals or speaker.strip().lower() not in set(Speaker):
            raise InvalidInput(f"--role wants VALUE={'|'.join(Speaker)}, not {pair!r}.")
        found[value.strip().casefold()] = Speaker(speaker.strip().lower())
    return found


def parse_time(value: Any) -> float | None:
    """Seconds since 1970 of a time as exports write it; None where there is none.

    Raises:
        InvalidInput: it isn't understood.
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    for read in (float, _iso, _mail, _tweet):
        try:
            return read(text)
        except ValueError:
            continue
    raise InvalidInput(
        f"time: {text!r} is not understood; leave time= out where the rows are in order"
    )


def _iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _mail(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _tweet(text: str) -> float:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y").timestamp()


def _said(at: float | None, line: int, content: str) -> Said:
    author, text, customer, about, problem = json.loads(content)
    return Said(line, author, text, at, customer, about, problem)


def _speaker(row: Said, speakers: Mapping[str, Speaker], customer: str | None) -> Speaker:
    """Who says a row; `customer` is the customer's name, where authors may be names."""
    known = _known(row, speakers)
    if known is not None:
        return known
    if customer is None:
        raise InvalidInput(
            f"role: {row.author!r} is nobody that is known; say --role "
            f"'{row.author}={'|'.join(Speaker)}'"
        )
    return Speaker.CUSTOMER if _name(row.author) == customer else Speaker.AGENT


def _customers_name(rows: Sequence[Said], speakers: Mapping[str, Speaker]) -> str:
    """The name by which the customer speaks; empty where a row's author says it in plain words."""
    if any(_known(row, speakers) is Speaker.CUSTOMER for row in rows):
        return ""
    named = {_name(row.customer) for row in rows if row.customer}
    others = [_name(row.author) for row in rows if row.text.strip() and not _known(row, speakers)]
    return next((name for name in others if name in named), others[0] if others else "")


def _known(row: Said, speakers: Mapping[str, Speaker]) -> Speaker | None:
    plain = "".join(letter for letter in row.author.casefold() if letter.isalnum())
    return speakers.get(_name(row.author)) or _WORDS.get(plain)


def _name(author: str) -> str:
    return author.strip().casefold()
