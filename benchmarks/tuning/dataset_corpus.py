"""A history of any length for `dataset.py`, the same at every run.

Questions are two real ones of BANKING77 joined, so that a million differ; the answer is the demo
policy's for the first. Of each hundred some 15 are another one with a letter or a word changed, 4
are another one exactly, 1 has another answer; 20 hold personal data, 5 markup, 5 a mail's end.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml
from sqlalchemy import insert

from records.database import Database
from records.states import ConversationState, ExampleSource, ExampleState
from records.tables import Conversation, Example

DEMO = Path(__file__).resolve().parents[2] / "deploy" / "demo"
_BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_BATCH = 10_000
_SOURCES = (
    *[ExampleSource.IMPORT] * 12,
    *[ExampleSource.FLAG] * 3,
    *[ExampleSource.REPLY] * 3,
    *[ExampleSource.ACCEPTED] * 2,
)
_PERSONAL = (
    "my mail is {word}.{number}@example.org",
    "call me on +44 20 7946 0{digits}",
    "the card is 4111 1111 1111 1111, ending {digits}",
    "my IBAN is DE89 3704 0044 0532 0130 00",
    "I am at 192.0.2.{byte}",
)


def fill(database: Database, count: int) -> None:
    """Write `count` approved examples, with the conversations that some came from."""
    for start in range(0, count, _BATCH):
        numbers = range(start, min(count, start + _BATCH))
        rows = [row(number, count) for number in numbers]
        conversations = sorted({one["conversation_id"] for one in rows} - {None})
        with database.write() as session:
            if conversations:
                session.execute(insert(Conversation), [_conversation(c) for c in conversations])
            session.execute(insert(Example), rows)


def questions(count: int) -> Iterator[str]:
    """What `count` examples ask."""
    for number in range(count):
        yield _asked(number)[0]


def row(number: int, count: int) -> dict[str, Any]:
    """One example as the database holds it."""
    asked, topic = _asked(number)
    chance = Random(f"answer {number}")
    answer = _policy()[topic]["answer"]
    if chance.random() < 0.01:
        answer = _policy()[chance.choice(sorted(_policy()))]["answer"]
    source = chance.choice(_SOURCES)
    customer = f"customer-{chance.randrange(max(1, count // 4))}"
    recorded = source is not ExampleSource.IMPORT
    created = _BEGIN + timedelta(minutes=number % 500_000)
    return {
        "id": f"ex_{number:09d}",
        "assistant": "support",
        "key": f"bench:{number}",
        "source": source,
        "conversation_id": f"conv_{number // 3:09d}" if recorded and number % 3 == 0 else None,
        "customer": customer,
        "prompt": [{"role": "customer", "content": asked}],
        "chosen": answer,
        "rejected": "I do not know." if source is ExampleSource.FLAG else None,
        "should_escalate": bool(_policy()[topic]["handover"]),
        "slice": {"topic": topic},
        "origin": {"file": "history.csv", "licence": "CC BY 4.0"},
        "state": ExampleState.APPROVED,
        "created_by": "bench",
        "decided_by": "bench",
        "decided_at": created,
        "created_at": created,
    }


def _conversation(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "assistant": "support",
        "key": name,
        "state": ConversationState.OPEN,
        "created_at": _BEGIN,
    }


def _asked(number: int) -> tuple[str, str]:
    """A question and its topic: new, or like one that came before."""
    chance = Random(f"kind {number}")
    kind = chance.random()
    if number and kind < 0.15:
        text, topic = _new(chance.randrange(number))
        return _edited(text, chance), topic
    if number and kind < 0.19:
        return _new(chance.randrange(number))
    return _new(number)


def _new(number: int) -> tuple[str, str]:
    chance = Random(f"question {number}")
    (first, topic), (second, _) = chance.choice(_queries()), chance.choice(_queries())
    text = f"{first} {second}"
    dress = chance.random()
    if dress < 0.20:
        said = chance.choice(_PERSONAL).format(
            word=chance.choice(("ada", "grace", "alan")),
            number=chance.randrange(10_000),
            digits=f"{chance.randrange(10_000):04d}",
            byte=chance.randrange(256),
        )
        text = f"{text} {said}"
    elif dress < 0.25:
        text = f"<p>{text.replace('?', '?<br/>')}</p>&nbsp;"
    elif dress < 0.30:
        text = f"{text}\n\nBest regards,\nAda\n\nOn Monday, Alder wrote:\n> How can we help?"
    return text, topic


def _edited(text: str, chance: Random) -> str:
    words = text.split()
    at = chance.randrange(len(words))
    change = chance.randrange(3)
    if change == 0:
        words[at] += "s"
    elif change == 1:
        words.insert(at, "please")
    else:
        words[at] = words[at][::-1]
    return " ".join(words)


@cache
def _queries() -> list[tuple[str, str]]:
    topics = _policy()
    with (DEMO / "data" / "banking77.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]
    return [pair for pair in rows if pair[1] in topics]


@cache
def _policy() -> dict[str, dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load((DEMO / "policy.yaml").read_text())
    found: dict[str, dict[str, Any]] = loaded["topics"]
    return found
