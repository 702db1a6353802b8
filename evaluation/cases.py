"""Frozen cases: what a version is asked, and what a right answer to it is.

A file that is partly wrong still yields its good lines; each other line is reported.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from records.errors import InvalidInput, NotFound
from records.messages import Message, Role, from_chat
from records.text import normalise

_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Case:
    """One frozen question with its right answer; `id` is the hash of its normalised prompt."""

    id: str
    messages: tuple[Message, ...]
    reference: str
    should_escalate: bool
    topic: str | None
    slice: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that could not be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The usable cases of a file, in the order of their ids, and the lines that are not.

    `hash` depends on what the cases say, not on the order of the lines: neither does anything
    that is measured on them.
    """

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...] = ()
    path: str | None = None

    @property
    def hash(self) -> str:
        """SHA-256 over the cases, 64 hexadecimal digits."""
        return hashlib.sha256(
            json.dumps([_plain(case) for case in self.cases]).encode()
        ).hexdigest()


class _Line(BaseModel):
    """A line as it is written. Unknown keys are refused: a misspelt one would change the case."""

    model_config = ConfigDict(strict=True, extra="forbid")

    messages: list[dict[str, Any]] = Field(min_length=1)
    reference: str = ""
    should_escalate: bool = False
    topic: str | None = Field(default=None, min_length=1)
    slice: dict[str, str] = Field(default_factory=dict)


def prompt_id(messages: Iterable[Message]) -> str:
    """What identifies a prompt whatever its case, punctuation and spacing (16 digits)."""
    digest = hashlib.sha256()
    for message in messages:
        said = normalise(message.content) or message.content.strip()  # emoji alone have no words
        digest.update(f"{message.role}\0{said}\0".encode())
    return digest.hexdigest()[:_ID_DIGITS]


def read_cases(path: Path) -> CaseFile:
    """Read a JSONL file of cases; blank lines are skipped.

    Raises:
        NotFound: no such file.
        InvalidInput: it cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file of cases at {path}.") from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    return parse_cases(lines, path=str(path))


def parse_cases(lines: Sequence[bytes], *, path: str | None = None) -> CaseFile:
    """Read cases from lines; of two with the same prompt the first is kept."""
    cases: dict[str, Case] = {}
    first_line: dict[str, int] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = _case(line)
        except InvalidInput as error:
            problems.append(Problem(number, str(error)))
            continue
        if case.id in cases:
            problems.append(Problem(number, _duplicate(case, cases[case.id], first_line[case.id])))
            continue
        cases[case.id], first_line[case.id] = case, number
    ordered = tuple(cases[key] for key in sorted(cases))
    return CaseFile(ordered, tuple(problems), path)


def _case(line: bytes) -> Case:
    try:
        written = _Line.model_validate_json(line.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput("not UTF-8 text") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InvalidInput(f"{where}: {problem['msg']}" if where else problem["msg"]) from error
    messages = tuple(from_chat(written.messages))
    if not messages or messages[-1].role is not Role.CUSTOMER:
        raise InvalidInput("messages: the last one must be the customer's (role user)")
    if not messages[-1].content.strip():
        raise InvalidInput("messages: the customer's last one is empty")
    if not written.should_escalate and not normalise(written.reference):
        raise InvalidInput("reference: a right answer is needed unless should_escalate is true")
    return Case(
        id=prompt_id(messages),
        messages=messages,
        reference=written.reference.strip(),
        should_escalate=written.should_escalate,
        topic=written.topic,
        slice=written.slice,
    )


def _duplicate(case: Case, earlier: Case, line: int) -> str:
    same = (case.reference, case.should_escalate) == (earlier.reference, earlier.should_escalate)
    return f"same prompt as line {line}" + ("" if same else ", with another right answer")


def _plain(case: Case) -> dict[str, Any]:
    return {
        "messages": [[message.role, message.content] for message in case.messages],
        "reference": case.reference,
        "should_escalate": case.should_escalate,
        "topic": case.topic,
        "slice": dict(sorted(case.slice.items())),
    }
