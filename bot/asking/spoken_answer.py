"""What a model says, taken piece by piece as the gateway takes it, for an agent's eyes. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from records.assistant import Assistant
from records.handoff_filter import HandoffFilter


@dataclass(slots=True)
class SpokenAnswer:
    """An answer in the making. The clock gives seconds."""

    assistant: Assistant
    clock: Callable[[], float]
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_ms: float | None = None
    _said: list[str] = field(default_factory=list)
    _filter: HandoffFilter = field(init=False)
    _began: float = field(init=False)
    _stopped: bool = False
    _logprob_sum: float = 0.0
    _logprob_count: int = 0

    def __post_init__(self) -> None:
        self._filter = HandoffFilter(self.assistant.handoff_marker)
        self._began = self.clock()

    def take(self, event: Mapping[str, Any]) -> str:
        """Take an event of the engine's stream; return the words that can be shown now."""
        usage = event.get("usage") or {}
        self.prompt_tokens = usage.get("prompt_tokens", self.prompt_tokens)
        self.completion_tokens = usage.get("completion_tokens", self.completion_tokens)
        return "".join([self._take(choice) for choice in event["choices"]])

    def _take(self, choice: Mapping[str, Any]) -> str:
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        self._stopped = self._stopped or choice.get("stop_reason") is not None
        for token in (choice.get("logprobs") or {}).get("content") or ():
            self._logprob_sum += token["logprob"]
            self._logprob_count += 1
        content = (choice["delta"].get("content") or "").replace("\x00", "")  # as it is recorded
        if content and self.first_token_ms is None:
            self.first_token_ms = self.milliseconds
        return self._say(self._filter.feed(content))

    def close(self) -> str:
        """The engine is done: the words that still are to be shown."""
        cut_short = self._stopped or self.finish_reason not in (None, "stop", "tool_calls")
        return self._say(self._filter.finish(cut_short=cut_short))

    @property
    def text(self) -> str:
        """What was said, without the handoff marker."""
        return "".join(self._said)

    @property
    def handed_over(self) -> bool:
        """Whether the model asked for a person."""
        return self._filter.found

    @property
    def milliseconds(self) -> float:
        """How long it has taken until now."""
        return (self.clock() - self._began) * 1000

    @property
    def mean_logprob(self) -> float | None:
        """Mean log-probability per token in nats; None where the engine told none."""
        return self._logprob_sum / self._logprob_count if self._logprob_count else None

    def _say(self, words: str) -> str:
        if words:
            self._said.append(words)
        return words


def confidence(mean_logprob: float | None) -> float | None:
    """Geometric mean of the tokens' probabilities."""
    return None if mean_logprob is None else math.exp(mean_logprob)
