"""An assistant is reachable from its own workspace only, whatever ids a request names.

Slack signs requests of every workspace in which the app is installed; that one of them names an
escalation, a report or a version says nothing of whose it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot import wording
from bot.messages.area import assistant_of
from bot.outbox.kinds import SUBJECTS, Subject
from bot.workspaces.visit import Visit
from records import conversations, outbox
from records.assistant import Assistant
from records.errors import Forbidden, NotFound
from records.outbox import Kind

_PREFIXES = {
    "esc": Subject.ESCALATION,
    "turn": Subject.TURN,
    "flag": Subject.FLAG,
    "ex": Subject.EXAMPLE,
    "job": Subject.JOB,
    "rep": Subject.REPORT,
    "exp": Subject.EXPERIMENT,
}
_ID = re.compile(r"\b(conv|esc|turn|flag|ex|job|rep|exp)_[0-9a-z]{26}\b")
_VERSION = re.compile(r"\b([a-z][a-z0-9-]{0,40})-(?:base|[0-9a-f]{12})\b")
_LINK = re.compile(r"/archives/([CGD][A-Z0-9]+)/p(\d{10})(\d{6})")


def visit_of(
    body: Mapping[str, Any], *, team: str, sole: bool, assistants: Mapping[str, Assistant]
) -> Visit:
    """The visit that a request is; where all assistants belong to its workspace, it is let in."""
    visit = Visit(team, sole)
    if all(visit.reaches(assistant) for assistant in assistants.values()):
        return visit
    named = "\n".join(_strings(body))

    def check(session: Session) -> None:
        for name in _assistants_named(session, named):
            assistant = assistants.get(name)
            if assistant is not None and not visit.reaches(assistant):
                raise Forbidden(wording.machine.ELSEWHERE)

    return Visit(team, sole, check)


_ENTERED = ("actions", "view", "text", "state")
"""The parts of a request in which a person, or a message that was shown to one, names things."""


def _strings(body: Mapping[str, Any]) -> Iterator[str]:
    for part in _ENTERED:
        yield from _within(body.get(part))


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _within(inner)


def _assistants_named(session: Session, text: str) -> Iterator[str]:
    """The assistants of everything that a text names and that exists."""
    for match in _ID.finditer(text):
        try:
            yield _owner(session, match[1], match[0])
        except NotFound:
            continue
    for match in _VERSION.finditer(text):
        yield match[1]
    for channel, seconds, micros in _LINK.findall(text):
        row = outbox.find(session, channel=channel, ts=f"{seconds}.{micros}")
        if row is not None:
            yield assistant_of(session, SUBJECTS[Kind(row.kind)], row.subject)


def _owner(session: Session, prefix: str, subject: str) -> str:
    if prefix == "conv":
        return conversations.get(session, subject).assistant
    return assistant_of(session, _PREFIXES[prefix], subject)
