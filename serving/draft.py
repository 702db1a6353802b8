"""An answer in the making: what was said so far and what will be recorded of it. No I/O."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from records.ids import new_id
from records.messages import Role
from records.states import EscalationReason, TurnStatus
from records.tables import Turn
from serving.dialogue import Dialogue
from serving.handoff_filter import HandoffFilter


@dataclass(slots=True)
class Draft:
    """Takes what the engine says piece by piece; tells what of it the customer may read."""

    dialogue: Dialogue
    clock: Callable[[], float] = time.perf_counter
    turn_id: str = field(default_factory=lambda: new_id("turn"))
    said: list[str] = field(default_factory=list)
    tool_calls: bool = False
    status: TurnStatus = TurnStatus.COMPLETE
    version: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    reason: EscalationReason | None = None
    cause: str = ""
    submitted: bool = False
    """Whether its record is on its way, so that it is recorded once."""
    _filter: HandoffFilter = field(init=False)
    _started: float = field(init=False)
    _first_token_ms: float | None = None
    _logprob_sum: float = 0.0
    _logprob_count: int = 0

    def __post_init__(self) -> None:
        self._filter = HandoffFilter(self.dialogue.assistant.handoff_marker)
        self._started = self.clock()
        self.version = self.dialogue.choice.version

    @property
    def text(self) -> str:
        """What the customer has read, or will."""
        return "".join(self.said)

    @property
    def escalated(self) -> bool:
        """Whether this answer hands the conversation to a person."""
        return self._filter.found or self.reason is not None

    def take(self, choice: Mapping[str, Any], *, part: str = "delta") -> str:
        """Take one choice of the engine's, a piece (`delta`) or whole (`message`)."""
        content = (choice[part].get("content") or "").replace("\x00", "")  # PostgreSQL keeps none
        self._take_logprobs(choice.get("logprobs"))
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        self.tool_calls = self.tool_calls or bool(choice[part].get("tool_calls"))
        if not content:
            return ""
        if self._first_token_ms is None and part == "delta":
            self._first_token_ms = self._elapsed_ms()
        return self._say(self._filter.feed(content))

    def close(self) -> str:
        """The engine is done: settle escalation and return what still is to be said."""
        rest = self._say(self._filter.finish(cut_short=self.finish_reason == "length"))
        self._settle_handoff()
        if self.text.strip() or self.tool_calls:
            return rest
        if not self._filter.found:
            self.reason, self.status = EscalationReason.MODEL, TurnStatus.FALLBACK
            self.cause = f"{self.version} gave an empty answer."
        return rest + self._say(self.dialogue.assistant.handoff_sentence)

    def fail(self, cause: str) -> str:
        """The engine has failed: return the sentence to be said in place of its answer."""
        self.reason, self.cause = EscalationReason.ENGINE, cause
        sentence = self.dialogue.assistant.unavailable_sentence
        if self.text.strip():
            self.status, self.finish_reason = TurnStatus.INTERRUPTED, None
            return self._say(f" {sentence}")
        self.status, self.version, self.finish_reason = TurnStatus.FALLBACK, None, None
        return self._say(sentence)

    def wait_for_agent(self) -> str:
        """A person has the conversation: return the sentence that says so."""
        self.status, self.version = TurnStatus.FALLBACK, None
        return self._say(self.dialogue.assistant.waiting_sentence)

    def abandon(self) -> None:
        """The customer has left."""
        self.status, self.finish_reason = TurnStatus.ABANDONED, None
        self._settle_handoff()

    def turn(self, conversation_id: str) -> Turn:
        """The row of this answer."""
        usage = self.usage or {}
        choice = self.dialogue.choice if self.version else None
        return Turn(
            id=self.turn_id,
            conversation_id=conversation_id,
            role=Role.ASSISTANT,
            content=self.text,
            status=self.status,
            handed_over=self._filter.found,
            version=self.version,
            experiment=choice.experiment if choice else None,
            arm=choice.arm if choice else None,
            finish_reason=self.finish_reason,
            first_token_ms=self._first_token_ms,
            duration_ms=self._elapsed_ms(),
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
            mean_logprob=self._logprob_sum / self._logprob_count if self._logprob_count else None,
        )

    def _settle_handoff(self) -> None:
        if self._filter.found:
            self.reason = EscalationReason.MODEL
            self.cause = f"{self.version} asked for a person."

    def _say(self, text: str) -> str:
        if text:
            self.said.append(text)
        return text

    def _elapsed_ms(self) -> float:
        return (self.clock() - self._started) * 1000

    def _take_logprobs(self, logprobs: Mapping[str, Any] | None) -> None:
        for token in (logprobs or {}).get("content") or ():
            self._logprob_sum += token["logprob"]
            self._logprob_count += 1
