"""One line of a team's history as a lesson, or the reason why it is none. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.cases import prompt_id
from records.errors import InvalidInput
from records.handoff import without_marker
from records.imports import Lesson
from records.messages import Role, from_chat
from records.text import normalise

_KEY_DIGITS = 40


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """A lesson, whether a person approved it, and what makes it the same as another."""

    lesson: Lesson
    approved: bool
    key: str


class _Line(BaseModel):
    """A line as it is written. Unknown keys are refused: a misspelt one would be lost unseen."""

    model_config = ConfigDict(strict=True, extra="forbid")

    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    customer: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    approved: bool = False
    should_escalate: bool = False
    slice: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


def parse_line(line: bytes, *, assistant: str, marker: str) -> ImportedLine:
    """Read one line of JSONL.

    Raises:
        InvalidInput: why it cannot be used.
    """
    written = _read(line)
    messages = from_chat(written.messages)
    if not messages or messages[-1].role is not Role.ASSISTANT:
        raise InvalidInput("messages: the last one must be the assistant's, the right answer")
    prompt, answer = messages[:-1], messages[-1].content
    if not any(message.role is Role.CUSTOMER for message in prompt):
        raise InvalidInput("messages: there is none of role user to answer")
    if prompt[-1].role is not Role.CUSTOMER:
        raise InvalidInput("messages: the one before the answer must be of role user")
    if not prompt[-1].content.strip():
        raise InvalidInput("messages: the last one of role user is empty")
    marked, chosen = without_marker(answer, marker=marker)
    should_escalate = written.should_escalate or marked
    if not chosen and not should_escalate:
        raise InvalidInput("messages: the right answer is empty")
    lesson = Lesson(
        prompt=prompt,
        chosen=chosen,
        should_escalate=should_escalate,
        customer=written.customer,
        slice=dict(written.slice),
    )
    return ImportedLine(lesson, written.approved, _key(lesson, assistant=assistant))


def _read(line: bytes) -> _Line:
    if b"\\u0000" in line or b"\0" in line:
        raise InvalidInput("it holds a NUL character, which no database keeps")
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(content, dict):
        raise InvalidInput("not an object")
    try:
        return _Line.model_validate(content)
    except ValidationError as error:
        raise InvalidInput(_reason(error)) from error


def _reason(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"][:2])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {where!r} (known: {', '.join(_Line.model_fields)})"
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _key(lesson: Lesson, *, assistant: str) -> str:
    """The same for lessons that differ in case, spacing or punctuation only."""
    answer = normalise(lesson.chosen) or lesson.chosen
    parts = (assistant, prompt_id(lesson.prompt), answer, str(lesson.should_escalate))
    return "import:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_DIGITS]
