"""One line of a team's history as a lesson, or the reason why it is none. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.cases import prompt_id
from records.errors import InvalidInput
from records.handoff import without_marker
from records.imports import Imported, Lesson
from records.messages import Message, Role, from_chat
from records.text import normalise

_KEY_DIGITS = 40
_Messages = Annotated[list[dict[str, Any]], Field(min_length=1)]


class _Line(BaseModel):
    """A line as it is written. Unknown keys are refused: a misspelt one would be lost unseen."""

    model_config = ConfigDict(strict=True, extra="forbid")

    messages: _Messages | None = None
    prompt: _Messages | str | None = None
    completion: _Messages | str | None = None
    chosen: _Messages | str | None = None
    rejected: _Messages | str | None = None
    customer: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    approved: bool = False
    should_escalate: bool = False
    slice: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    licence: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    synthetic_of: str | None = None


def parse_line(
    line: bytes, *, assistant: str, marker: str, origin: Mapping[str, Any] | None = None
) -> Imported | None:
    """Read one line of JSONL; None where it is another wording that an export made of a lesson.

    Raises:
        InvalidInput: why it cannot be used.
    """
    return parse_content(read_object(line), assistant=assistant, marker=marker, origin=origin or {})


def parse_content(
    content: Mapping[str, Any], *, assistant: str, marker: str, origin: Mapping[str, Any]
) -> Imported | None:
    """Read a line's object, wherever it came from (`parse_line`).

    Raises:
        InvalidInput: why it cannot be used.
    """
    try:
        written = _Line.model_validate(_plain_pair(content))
    except ValidationError as error:
        raise InvalidInput(_reason(error)) from error
    if written.synthetic_of is not None:
        return None
    messages = _messages(written)
    if not messages or messages[-1].role is not Role.ASSISTANT:
        raise InvalidInput("messages: the last one must be the assistant's, the right answer")
    prompt, answer = messages[:-1], messages[-1].content
    _require_question(prompt)
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
        rejected=_rejected(written, answer),
        origin={**origin, **({"licence": written.licence} if written.licence else {})},
    )
    return Imported(lesson, written.approved, _key(lesson, assistant=assistant))


def _plain_pair(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of OpenAI's form for preferences with the names that we have for it."""
    if "preferred_output" not in content:
        return content
    given = content.get("input")
    asked = given.get("messages") if isinstance(given, dict) else None
    renamed = {
        "prompt": asked,
        "chosen": content["preferred_output"],
        "rejected": content.get("non_preferred_output"),
    }
    known = ("input", "preferred_output", "non_preferred_output")
    return {**{key: value for key, value in content.items() if key not in known}, **renamed}


def read_object(line: bytes) -> dict[str, Any]:
    """The object of a line of JSONL.

    Raises:
        InvalidInput: it is none.
    """
    if b"\\u0000" in line or b"\0" in line:
        raise InvalidInput("it holds a NUL character, which no database keeps")
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(content, dict):
        raise InvalidInput("not an object")
    return content


def _messages(written: _Line) -> list[Message]:
    """The whole chat: `messages`, or the prompt with its completion or chosen answer."""
    if written.messages is not None:
        return from_chat(written.messages)
    answer = written.completion if written.completion is not None else written.chosen
    if written.prompt is None or answer is None:
        raise InvalidInput("messages is missing (or prompt and completion)")
    said = from_chat([*_chat(written.prompt, "user"), *_chat(answer, "assistant")])
    prompts = len(from_chat(_chat(written.prompt, "user")))
    if len(said) == prompts:
        raise InvalidInput("completion: it holds no message")
    return said


def _chat(said: list[dict[str, Any]] | str, role: str) -> list[dict[str, Any]]:
    return [{"role": role, "content": said}] if isinstance(said, str) else said


def _require_question(prompt: Sequence[Message]) -> None:
    if not any(message.role is Role.CUSTOMER for message in prompt):
        raise InvalidInput("messages: there is none of role user to answer")
    if prompt[-1].role is not Role.CUSTOMER:
        raise InvalidInput("messages: the one before the answer must be of role user")
    if not prompt[-1].content.strip():
        raise InvalidInput("messages: the last one of role user is empty")


def _rejected(written: _Line, answer: str) -> str | None:
    """The wrong answer; None where it is empty or the right one itself."""
    if written.rejected is None:
        return None
    said = from_chat(_chat(written.rejected, "assistant"))
    if len(said) != 1 or said[0].role is not Role.ASSISTANT:
        raise InvalidInput("rejected: it must be one answer of role assistant")
    wrong = said[0].content.strip()
    return wrong if wrong and wrong != answer.strip() else None


def _reason(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"][:2] if not str(part).startswith("list["))
    if problem["type"] == "extra_forbidden":
        return f"unknown key {where!r} (known: {', '.join(_Line.model_fields)})"
    return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _key(lesson: Lesson, *, assistant: str) -> str:
    """The same for lessons that differ in case, spacing or punctuation only."""
    answer = normalise(lesson.chosen) or lesson.chosen
    parts = (assistant, prompt_id(lesson.prompt), answer, str(lesson.should_escalate))
    return "import:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_DIGITS]
