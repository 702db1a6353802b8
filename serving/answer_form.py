"""How an answer is put into bytes: OpenAI's chunks, or the conversation API's events. Pure.

Whoever answers says what there is to say, in this order: `begin` once, `say` and `tool_calls` as
often as there is something, then `end`, or `fail` where the answer must not look whole. What is
not streamed is `whole` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from records.errors import UnderstudyError
from records.messages import Role
from serving.completion import DONE, Completion
from serving.problems import body_of
from serving.sent_events import event

About = Mapping[str, Any]
"""What Understudy adds to an answer: `conversation_id`, `turn_id`, `version`, `escalated`,
`escalation_id`, `reason`, `status`."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an answer once it is recorded."""

    text: str
    """All that the customer has read."""
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    position: int | None = None
    """The turn's position in its conversation."""


class AnswerForm(Protocol):
    """One answer's form."""

    def begin(self, about: About) -> bytes:
        """What comes before the first words; the answer's status is not known yet."""

    def say(self, text: str) -> bytes:
        """A piece of the answer's text, not empty."""

    def tool_calls(self, calls: Sequence[Mapping[str, Any]]) -> bytes:
        """Calls of the client's tools, or pieces of them, as the engine gives them."""

    def end(self, about: About, ending: Ending) -> bytes:
        """The end of a whole answer."""

    def fail(self, error: UnderstudyError) -> bytes:
        """The end of an answer that is not whole."""

    def whole(self, about: About, ending: Ending) -> Mapping[str, Any]:
        """The body of an answer that is not streamed."""


class ChunksForm:
    """OpenAI's chat completion chunks."""

    __slots__ = ("_completion", "_include_usage")

    def __init__(self, completion: Completion, *, include_usage: bool) -> None:
        self._completion = completion
        self._include_usage = include_usage

    def begin(self, about: About) -> bytes:
        """The chunk with the role."""
        return self._completion.piece({"role": "assistant", "content": ""}, understudy=about)

    def say(self, text: str) -> bytes:
        """A chunk with text."""
        return self._completion.piece({"content": text})

    def tool_calls(self, calls: Sequence[Mapping[str, Any]]) -> bytes:
        """A chunk with tool calls."""
        return self._completion.piece({"tool_calls": calls})

    def end(self, about: About, ending: Ending) -> bytes:
        """The chunk with the finish reason, the token counts if they are wanted, the end mark."""
        last = self._completion.piece({}, finish_reason=ending.finish_reason, understudy=about)
        if self._include_usage:
            last += self._completion.usage(ending.usage)
        return last + DONE

    def fail(self, error: UnderstudyError) -> bytes:
        """An error event, without the end mark."""
        return b"data: " + orjson.dumps(body_of(error)[1]) + b"\n\n"

    def whole(self, about: About, ending: Ending) -> Mapping[str, Any]:
        """A chat completion."""
        message: dict[str, Any] = {"content": ending.text}
        if ending.tool_calls:
            message = {"content": ending.text or None, "tool_calls": ending.tool_calls}
        return self._completion.whole(
            message, finish_reason=ending.finish_reason, usage=ending.usage, understudy=about
        )


class TurnForm:
    """The conversation API's events: `begin`, then `token` as often as needed, then `turn`.

    Tools are no part of this API: nobody who uses it brings any.
    """

    __slots__ = ()

    def begin(self, about: About) -> bytes:
        """Which turn of which conversation the answer will be."""
        names = ("conversation_id", "turn_id")
        return event("begin", {name: about[name] for name in names})

    def say(self, text: str) -> bytes:
        """A piece of text."""
        return event("token", {"text": text})

    def tool_calls(self, calls: Sequence[Mapping[str, Any]]) -> bytes:
        """Nothing."""
        return b""

    def end(self, about: About, ending: Ending) -> bytes:
        """The turn as it is recorded."""
        return event("turn", self.whole(about, ending))

    def fail(self, error: UnderstudyError) -> bytes:
        """What went wrong; the turn is not recorded."""
        return event("error", body_of(error)[1])

    def whole(self, about: About, ending: Ending) -> Mapping[str, Any]:
        """The turn as it is recorded, and what became of the conversation."""
        return {
            "conversation_id": about["conversation_id"],
            "id": about["turn_id"],
            "position": ending.position,
            "role": Role.ASSISTANT,
            "content": ending.text,
            "status": about["status"],
            "version": about["version"],
            "escalated": about["escalated"],
            "escalation_id": about["escalation_id"],
            "reason": about["reason"],
        }
