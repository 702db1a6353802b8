"""OpenAI's response bodies: a whole completion, and the pieces of a streamed one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer's envelope; `model` is the assistant's name, as the client knows it."""

    id: str
    model: str
    created: int

    def whole(
        self,
        message: Mapping[str, Any],
        *,
        finish_reason: str,
        usage: Mapping[str, Any] | None,
        understudy: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", **message},
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage or NO_USAGE,
            "understudy": understudy,
        }

    def piece(
        self,
        delta: Mapping[str, Any],
        *,
        finish_reason: str | None = None,
        understudy: Mapping[str, Any] | None = None,
    ) -> bytes:
        """A server-sent event with a part of the answer."""
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        return self._event([choice], understudy=understudy)

    def usage(self, usage: Mapping[str, Any] | None) -> bytes:
        """The last event of a stream whose client asked for the token counts."""
        return self._event([], usage=usage or NO_USAGE)

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        body = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **{name: value for name, value in more.items() if value is not None},
        }
        return b"data: " + orjson.dumps(body) + b"\n\n"


NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
