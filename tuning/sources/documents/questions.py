"""Questions that a model writes for sections of documents; the answer is the section's own words.

They are proposed, whoever runs it: a person approves each.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from records import documents
from records.assistant import Assistant
from records.database import Database
from records.ids import new_id
from records.imports import tell_imported
from records.tables import Document
from records.text import normalise, words
from tuning.augmentation.asking import Ask, Asker
from tuning.augmentation.endpoint import Endpoint
from tuning.sources.documents.adding import BY_MODEL, to_example
from tuning.sources.documents.blocks import Pair, Section, asks, sections

_SYSTEM = (
    "You read a company's help pages and write the questions that customers ask. Write {count} "
    "different questions, each answered completely by the text, in the text's language and in a "
    "customer's words. One question a line, nothing else."
)
_SHORTEST, _LONGEST = 40, 1500
"""Characters of a section that can be an answer."""
_LONGEST_QUESTION = 200
_SHORTEST_SHARED = 4
_BATCH = 32
_AT_ONCE = 8
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):]|Q\d*[:.])\s*")


@dataclass(slots=True)
class Written:
    """What came of asking."""

    model: str
    sections: int = 0
    written: int = 0
    added: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "model": self.model,
            "sections": self.sections,
            "written": self.written,
            "added": self.added,
            "left_out": dict(self.left_out),
        }


def write_questions(
    database: Database,
    endpoint: Endpoint,
    *,
    assistant: Assistant,
    names: Sequence[str],
    per_section: int,
    actor: str,
    cache: Path,
    on_news: Callable[[int, int], None] = lambda _done, _total: None,
) -> Written:
    """Ask for questions, a few sections at once, and propose them; what is known stays as it is.

    Raises:
        NotFound: no such document.
        EngineError: the endpoint can't be asked; what came before is proposed.
    """
    done, run = Written(endpoint.model), new_id("imp")
    work = list(_sections(database, assistant, names, done))
    waiting = iter(work)
    try:
        with Asker(endpoint, cache=cache, at_once=_AT_ONCE) as asker:
            while batch := list(islice(waiting, _BATCH)):
                answers = asker.answers([ask_for(s, per_section) for _, s in batch])
                for (document, section), answer in zip(batch, answers, strict=True):
                    found = questions_in(answer or "", section, most=per_section)
                    done.sections += 1
                    done.written += len(found)
                    _propose(database, done, document, section, found, assistant, actor)
                on_news(done.sections, len(work))
    finally:
        if done.added:
            with database.write() as session:
                tell_imported(session, assistant.name, run=run, number=done.added)
    return done


def ask_for(section: Section, count: int) -> Ask:
    """What a model is asked about a section."""
    said = f"{section.name}\n\n{section.text}" if section.name else section.text
    return Ask((("system", _SYSTEM.format(count=count)), ("user", said)), max_tokens=80 * count)


def questions_in(answer: str, section: Section, *, most: int) -> list[str]:
    """The questions in a model's answer that can be used: each once, about the section. Pure.

    One without a longer word in common with the section is about something else.
    """
    about = {word for word in words(f"{section.name} {section.text}") if _is_telling(word)}
    found: dict[str, str] = {}
    for line in answer.splitlines():
        question = _MARK.sub("", line).strip().strip("\"'“”*_ ")
        if not asks(question) or len(question) > _LONGEST_QUESTION:
            continue
        if about & {word for word in words(question) if _is_telling(word)}:
            found.setdefault(normalise(question), question)
    return list(found.values())[:most]


def _sections(
    database: Database, assistant: Assistant, names: Sequence[str], done: Written
) -> list[tuple[Document, Section]]:
    """The sections whose words can be an answer."""
    with database.read() as session:
        if names:
            pages = [documents.get(session, assistant.name, name) for name in names]
        else:
            pages = list(documents.texts(session, assistant.name))
    found = []
    for page in pages:
        for section in sections(page.text):
            if len(section.text) < _SHORTEST:
                done.left_out["too short to be an answer"] += 1
            elif len(section.text) > _LONGEST:
                done.left_out["too long to be an answer"] += 1
            else:
                found.append((page, section))
    return found


def _propose(
    database: Database,
    done: Written,
    document: Document,
    section: Section,
    questions: Sequence[str],
    assistant: Assistant,
    actor: str,
) -> None:
    wanted = [
        to_example(
            document,
            Pair(question, section.text, section.name),
            assistant=assistant,
            approved=False,
            asked_by=BY_MODEL,
            model=done.model,
        )
        for question in questions
    ]
    if not wanted:
        done.left_out["without a usable question"] += 1
        return
    with database.write() as session:
        done.added += sum(documents.add_examples(session, document, wanted, actor=actor))


def _is_telling(word: str) -> bool:
    return len(word) >= _SHORTEST_SHARED
