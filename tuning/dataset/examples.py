"""A training example in memory, and the keys by which two examples are the same. Pure."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evaluation.cases import prompt_id
from records.messages import Message, Role, to_chat
from records.states import ExampleSource
from records.text import normalise
from tuning.dataset.rows import Row


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A conversation so far and what the model is to answer, the handoff marker included."""

    id: str
    source: ExampleSource
    prompt: tuple[Message, ...]
    answer: str
    created_at: datetime
    should_escalate: bool = False
    customer: str | None = None
    conversation_id: str | None = None
    slice: dict[str, Any] = field(default_factory=dict)
    rejected: str | None = None
    """The answer that was wrong, the handoff marker included."""
    origin: dict[str, Any] = field(default_factory=dict)
    synthetic_of: str | None = None
    """The id of the example whose question is put in other words here."""
    weight: float = 1.0
    unlearned: frozenset[int] = frozenset()
    """Positions in the prompt of answers that must not be learned: flagged ones, ours."""

    @property
    def prompt_key(self) -> str:
        """Equal for prompts that count as the same: what also identifies a test case."""
        return prompt_id(self.prompt)

    @property
    def answer_key(self) -> str:
        """Equal for answers that count as the same; a handoff never equals a plain answer."""
        if self.source is ExampleSource.DECLINED:
            return f"declined:{_normal_form(self.rejected or '')}"
        return f"{self.should_escalate}:{_normal_form(self.answer)}"

    @property
    def is_replay(self) -> bool:
        """Whether it stands for an answer that was right already."""
        return self.source is ExampleSource.ACCEPTED

    def row(self, *, system_prompt: str, topic: str = "") -> Row:
        """The example as a dataset's file holds it: without the customer's name or conversation."""
        prompt = to_chat(self.prompt, system_prompt=system_prompt)
        learn = [m.role is not Role.CUSTOMER for m in self.prompt]
        learn = [wanted and at not in self.unlearned for at, wanted in enumerate(learn)]
        before = len(prompt) - len(learn)
        return Row(
            id=self.id,
            source=str(self.source),
            prompt=tuple(prompt),
            learn=(*([False] * before), *learn),
            answer=self.answer or None,
            rejected=self.rejected,
            should_escalate=self.should_escalate,
            weight=self.weight,
            topic=str(self.slice[topic]) if topic in self.slice else None,
            synthetic_of=self.synthetic_of,
            slice=self.slice,
            origin=self.origin,
        )


def place(purpose: str, key: str) -> float:
    """Where `key` falls between 0 and 1, by a hash; each purpose draws independently."""
    digest = hashlib.sha256(f"{purpose}\0{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _normal_form(text: str) -> str:
    """The words of a text; where it has none (an emoji, say) the text itself."""
    return normalise(text) or text.strip()
