"""Answers of versions to cases, and their cache in the database.

An answer belongs to exactly what was asked: the version, the messages as sent (system prompt
included) and the sampling settings. Change one of them and it is asked anew.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from evaluation.cases import Case
from records.assistant import Assistant
from records.database import Database
from records.messages import to_chat
from records.tables import Answer as Row

REFUSED = "refused"
"""The finish reason of an answer that the engine would not give (the prompt is too long, ...)."""

_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a version said, marker and all. `mean_logprob` is per token, in nats."""

    content: str
    finish_reason: str | None = None
    completion_tokens: int | None = None
    mean_logprob: float | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the engine; `key` says which answer in the cache is its own."""

    case_id: str
    key: str
    body: Mapping[str, Any]


def question(case: Case, assistant: Assistant, *, version: str) -> Question:
    """The request that the gateway would send for this case."""
    chat = to_chat(case.messages, system_prompt=assistant.system_prompt)
    asked = {"model": version, **assistant.engine_request(chat, logprobs=True)}
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return Question(case.id, key, asked)


def read_answer(response: Mapping[str, Any], *, duration_ms: float) -> Answer:
    """The answer in an engine's response.

    Raises:
        KeyError, IndexError, TypeError: it does not have OpenAI's form.
    """
    choice = response["choices"][0]
    tokens = (choice.get("logprobs") or {}).get("content") or []
    logprobs = [float(token["logprob"]) for token in tokens]
    return Answer(
        content=choice["message"]["content"] or "",
        finish_reason=choice.get("finish_reason"),
        completion_tokens=(response.get("usage") or {}).get("completion_tokens"),
        mean_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
        duration_ms=duration_ms,
    )


def cached(database: Database, questions: Sequence[Question]) -> dict[str, Answer]:
    """The answers known already, by case id."""
    case_of = {question.key: question.case_id for question in questions}
    keys = list(case_of)
    found: dict[str, Answer] = {}
    with database.read() as session:
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            part = keys[start : start + _KEYS_PER_QUERY]
            for row in session.scalars(select(Row).where(Row.key.in_(part))):
                found[case_of[row.key]] = _answer(row)
    return found


def keep(database: Database, answers: Iterable[tuple[Question, Answer]]) -> None:
    """Write answers in one transaction; one that another process wrote first stays."""
    rows = [
        {
            "key": question.key,
            "version": question.body["model"],
            "content": answer.content,
            "finish_reason": answer.finish_reason,
            "completion_tokens": answer.completion_tokens,
            "mean_logprob": answer.mean_logprob,
            "duration_ms": answer.duration_ms,
        }
        for question, answer in answers
    ]
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.write() as session:
        session.execute(insert(Row).on_conflict_do_nothing(), rows)


def _answer(row: Row) -> Answer:
    return Answer(
        content=row.content,
        finish_reason=row.finish_reason,
        completion_tokens=row.completion_tokens,
        mean_logprob=row.mean_logprob,
        duration_ms=row.duration_ms,
    )
