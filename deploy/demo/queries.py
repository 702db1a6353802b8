"""The demo's customers and what they should be told: the policy, the queries and their split.

A query belongs to one part for ever, by the hash of its normalised text: `base` (and its `dev`
twelfth) trains the base model, `traffic` is what customers ask, `cases` only measures.
Run as a command, it writes the evaluation cases: `python deploy/demo/queries.py`.
"""

import argparse
import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

DEMO = Path(__file__).resolve().parent
ASSISTANT = DEMO.parent / "assistants" / "support.yaml"
ASK_FOR_A_PERSON = "ask_for_a_person"
OUT_OF_SCOPE = "out_of_scope"


class Group(StrEnum):
    """Whether the base model was taught the answer or has only heard the question."""

    KNOWN = "known"
    NEW = "new"


class Part(StrEnum):
    """What a query may be used for."""

    BASE = "base"
    DEV = "dev"
    TRAFFIC = "traffic"
    CASES = "cases"


# Upper ends of each part's share of a topic; dev is cut out of the base's 60 %.
SHARES = ((Part.DEV, 0.05), (Part.BASE, 0.60), (Part.TRAFFIC, 0.90), (Part.CASES, 1.0))


@dataclass(frozen=True)
class Topic:
    """One thing customers ask about and the answer that is right for it."""

    name: str
    group: Group
    handover: bool
    answer: str


@dataclass(frozen=True)
class Query:
    """A customer's words, the topic they are about and the part they belong to."""

    text: str
    topic: str
    part: Part


@dataclass(frozen=True)
class Policy:
    """The right answer for every topic, and the marker that asks for a person."""

    topics: dict[str, Topic]
    person_phrases: tuple[str, ...]
    handoff_marker: str
    system_prompt: str

    def target(self, topic: str) -> str:
        """Return what the assistant should say about `topic`, marker included."""
        entry = self.topics[topic]
        return f"{self.handoff_marker} {entry.answer}" if entry.handover else entry.answer


def load_policy(
    policy_file: Path = DEMO / "policy.yaml", assistant_file: Path = ASSISTANT
) -> Policy:
    """Read the policy and, from the assistant's file, its prompt and marker."""
    raw = yaml.safe_load(policy_file.read_text(encoding="utf-8"))
    assistant = yaml.safe_load(assistant_file.read_text(encoding="utf-8"))
    topics = {
        name: Topic(name, Group(entry["group"]), entry["handover"], entry["answer"])
        for name, entry in raw["topics"].items()
    }
    for name in (ASK_FOR_A_PERSON, OUT_OF_SCOPE):
        topics[name] = Topic(name, Group.KNOWN, handover=True, answer=raw[name]["answer"])
    return Policy(
        topics=topics,
        person_phrases=tuple(raw[ASK_FOR_A_PERSON]["phrases"]),
        handoff_marker=assistant["handoff_marker"],
        system_prompt=assistant["system_prompt"],
    )


def normalise(text: str) -> str:
    """Return the text's words only, in lower case: what makes two queries the same."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def load_queries(folder: Path = DEMO / "data") -> list[Query]:
    """Read the bank's queries, each with its part, in the order of the public file."""
    with (folder / "banking77.csv").open(encoding="utf-8", newline="") as handle:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(handle)]
    parts = split(rows)
    return [Query(text, topic, parts[normalise(text)]) for text, topic in rows]


def load_out_of_scope(folder: Path = DEMO / "data") -> list[str]:
    """Read the queries that no bank's support can answer."""
    with (folder / "out_of_scope.csv").open(encoding="utf-8", newline="") as handle:
        return [row["text"].strip() for row in csv.DictReader(handle)]


def split(rows: Sequence[tuple[str, str]]) -> dict[str, Part]:
    """Return the part of each normalised text.

    Within a topic the texts are ranked by their hash and cut at `SHARES`, so that every topic has
    its share in every part. A text that was labelled twice counts for the topic it first had.
    """
    first_topic: dict[str, str] = {}
    for text, topic in rows:
        first_topic.setdefault(normalise(text), topic)
    by_topic: dict[str, list[str]] = defaultdict(list)
    for normalised, topic in first_topic.items():
        by_topic[topic].append(normalised)
    parts: dict[str, Part] = {}
    for texts in by_topic.values():
        texts.sort(key=lambda text: hashlib.sha256(text.encode()).hexdigest())
        for rank, text in enumerate(texts):
            place = (rank + 0.5) / len(texts)
            parts[text] = next(part for part, end in SHARES if place <= end)
    return parts


def case_of(query: Query, policy: Policy) -> dict[str, Any]:
    """Return the evaluation case that asks `query`."""
    topic = policy.topics[query.topic]
    return {
        "messages": [{"role": "user", "content": query.text}],
        "reference": topic.answer,
        "should_escalate": topic.handover,
        "topic": topic.name,
        "slice": {
            "knowledge": topic.group.value,
            "needs_person": "yes" if topic.handover else "no",
        },
    }


def cases(queries: Sequence[Query], policy: Policy, *, part: Part = Part.CASES) -> list[Any]:
    """Return the evaluation cases of one part, each text once."""
    unique = {normalise(query.text): query for query in reversed(queries) if query.part is part}
    return [case_of(query, policy) for query in reversed(unique.values())]


def main() -> None:
    """Write the evaluation cases, one JSON object a line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=DEMO / "cases.jsonl")
    out: Path = parser.parse_args().out
    found = cases(load_queries(), load_policy())
    lines = (json.dumps(case, ensure_ascii=False) for case in found)
    out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(found)} cases written to {out.name}")


if __name__ == "__main__":
    main()
