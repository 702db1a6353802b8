"""An answer in the making: what was said so far and what will be recorded of it. No I/O."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from records.handoff_filter import HandoffFilter
from records.ids import new_id, utc_now
from records.messages import Role
from records.states import EscalationReason, TurnStatus
from serving.dialogue import Dialogue
from serving.escalation_rules import Handover
from serving.turn_log import Entry, stamp


@dataclass(slots=True)
class Draft:
    """Takes what the engine says piece by piece; tells what of it the customer may read."""

    dialogue: Dialogue
    clock: Callable[[], float] = time.perf_counter
    now: Callable[[], datetime] = utc_now
    turn_id: str = field(default_factory=lambda: new_id("turn"))
    said: list[str] = field(default_factory=list)
    tool_calls: bool = False
    status: TurnStatus = TurnStatus.COMPLETE
    version: str | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    reason: EscalationReason | None = None
    cause: str = ""
    first_token_ms: float | None = None
    """How long the engine took for its first text, where it streamed."""
    duration_ms: float = 0.0
    """How long the answer took, once it is an entry."""
    gave_way: bool = False
    """Whether an agent took over before anything of it was sent."""
    taken_over: bool = False
    """Whether an agent took over while the model worked, at whatever moment."""
    submitted: bool = False
    """Whether its record is on its way, so that it is recorded once."""
    _held: list[str] = field(default_factory=list)
    """Words that are not said before it is known how sure the model is of all of them."""
    _holds: bool = False
    _filter: HandoffFilter = field(init=False)
    _started: float = field(init=False)
    _logprob_sum: float = 0.0
    _logprob_count: int = 0
    _stopped: bool = False
    """Whether a stop sequence of the client's ended it, perhaps within the marker."""

    def __post_init__(self) -> None:
        self._filter = HandoffFilter(self.dialogue.assistant.handoff_marker)
        self._holds = self.dialogue.assistant.escalation.min_confidence is not None
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
        self._stopped = self._stopped or choice.get("stop_reason") is not None
        self.tool_calls = self.tool_calls or bool(choice[part].get("tool_calls"))
        if not content:
            return ""
        if self.first_token_ms is None and part == "delta":
            self.first_token_ms = self._elapsed_ms()
        return self._hear(self._filter.feed(content))

    def close(self) -> str:
        """The engine is done: settle escalation and return what still is to be said."""
        rest = self._hear(self._filter.finish(cut_short=self._cut_short))
        self._settle_handoff()
        if self._holds:
            if self._filter.found or self.tool_calls or self._is_sure():
                rest = self._say("".join(self._held))
                self._held.clear()
            elif "".join(self._held).strip():
                return self._withhold()
        if self.text.strip() or self.tool_calls:
            return rest + self._say(self._closed_words())
        if not self._filter.found:
            self.reason, self.status = EscalationReason.MODEL, TurnStatus.FALLBACK
            self.cause = f"{self.version} gave an empty answer."
        return rest + self._say(self._handover_words())

    def hand_over(self, handover: Handover) -> str:
        """A person must answer, and the model is not asked: return the sentence that says so."""
        self.reason, self.cause = handover.reason, handover.cause
        self.status, self.version = TurnStatus.FALLBACK, None
        return self._say(self._handover_words(handover.sentence))

    def fail(self, cause: str) -> str:
        """The engine has failed: return the sentence to be said in place of its answer."""
        self.reason, self.cause = EscalationReason.ENGINE, cause
        assistant = self.dialogue.assistant
        sentence = assistant.with_hours(assistant.unavailable_sentence, self.now())
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

    def give_way(self) -> str:
        """An agent took over while the model worked: return the sentence that says so instead.

        Doing it twice is doing it once.
        """
        if self.gave_way:
            return self.text
        self._held = [self.models_words]
        self.said.clear()
        self.reason, self.finish_reason = None, None
        self.gave_way = self.taken_over = True
        return self.wait_for_agent()

    def break_off(self) -> str:
        """An agent took over in mid-answer: return the sentence that ends what was begun.

        What nobody has read yet gives way when it is recorded.
        """
        self.taken_over = True
        if not self.text.strip():
            return ""
        self.status, self.finish_reason = TurnStatus.INTERRUPTED, None
        return self._say(f" {self.dialogue.assistant.waiting_sentence}")

    @property
    def models_words(self) -> str:
        """What the model said, whether the customer reads it or not."""
        return "".join(self._held) or self.text

    def entry(self, conversation_id: str, *, unread: bool = False) -> Entry:
        """What is recorded of this answer; `unread` where nothing of it was sent yet."""
        self.duration_ms = self._elapsed_ms()
        usage = self.usage or {}
        choice = self.dialogue.choice if self.version else None
        turn = {
            "id": self.turn_id,
            "conversation_id": conversation_id,
            "position": self.dialogue.answer_position,
            "role": Role.ASSISTANT,
            "content": self.text,
            "created_at": stamp(),
            "status": self.status,
            "handed_over": self._filter.found,
            "withheld": "".join(self._held) or None,
            "version": self.version,
            "experiment": choice.experiment if choice else None,
            "arm": choice.arm if choice else None,
            "finish_reason": self.finish_reason,
            "first_token_ms": self.first_token_ms,
            "duration_ms": self.duration_ms,
            "prompt_tokens": usage.get("prompt_tokens"),
            "completion_tokens": usage.get("completion_tokens"),
            "mean_logprob": self._mean_logprob,
        }
        escalation = None
        if self.reason is not None:
            escalation = {"reason": self.reason, "cause": self.cause, "turn_id": self.turn_id}
        if_taken = None
        if unread and self.version is not None:
            if_taken = {
                "content": self.dialogue.assistant.waiting_sentence,
                "withheld": self.models_words,
                "status": TurnStatus.FALLBACK,
                **dict.fromkeys(("version", "experiment", "arm", "finish_reason")),
            }
        return Entry(conversation_id, (turn,), escalation=escalation, if_taken=if_taken)

    def _settle_handoff(self) -> None:
        if self._filter.found:
            self.reason = EscalationReason.MODEL
            self.cause = f"{self.version} asked for a person."

    @property
    def _cut_short(self) -> bool:
        """Whether something else than the model itself ended its answer."""
        return self._stopped or self.finish_reason not in (None, "stop", "tool_calls")

    def _is_sure(self) -> bool:
        """Whether the mean probability of its tokens (their geometric mean) is high enough."""
        least = self.dialogue.assistant.escalation.min_confidence
        confidence = self.confidence
        return least is None or (confidence is not None and confidence >= least)

    @property
    def confidence(self) -> float | None:
        """Geometric mean of the tokens' probabilities; None where the engine told none."""
        mean = self._mean_logprob
        return None if mean is None else math.exp(mean)

    @property
    def _mean_logprob(self) -> float | None:
        return self._logprob_sum / self._logprob_count if self._logprob_count else None

    def _withhold(self) -> str:
        self.reason, self.status = EscalationReason.CONFIDENCE, TurnStatus.FALLBACK
        confidence = self.confidence
        told = "unknown" if confidence is None else f"{confidence:.2f}"
        least = self.dialogue.assistant.escalation.min_confidence
        self.cause = f"{self.version} was not sure of its answer ({told}, at least {least} wanted)."
        return self._say(self._handover_words())

    def _handover_words(self, sentence: str = "") -> str:
        return self.dialogue.assistant.handover_words(self.now(), sentence=sentence)

    def _closed_words(self) -> str:
        """What is added to the model's own words of a handover while nobody works."""
        if not self._filter.found:
            return ""
        words = self.dialogue.assistant.with_hours("", self.now())
        return f" {words}" if words else ""

    def _hear(self, text: str) -> str:
        """Take words of the model's; return those that can be said at once."""
        if not self._holds:
            return self._say(text)
        self._held.append(text)
        return ""

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
