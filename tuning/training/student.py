"""The model that learns: a frozen base with an adapter, and the log-probabilities of its answers.

Three shortcuts make it fast: LoRA layers fused, logits at answers only, and conversations packed
(no filling, and what all begin with once). They are held against the plain way on the run's own
data before it begins, and left out where a base model does not bear them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tuning.training.batch import Batch, pack, pad
from tuning.training.chat_tokens import Encoded
from tuning.training.flat import Flat
from tuning.training.fused_lora import fuse, unfuse
from tuning.training.packed_attention import PACKED_ATTENTION, register

FUSED, ANSWERS_ONLY, PACKED = "fused", "answers only", "packed"
_NOISE = 0.02
_TOLERANCE_NATS = {torch.float32: 1e-3, torch.bfloat16: 0.1}
_SCALED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling")


@dataclass(frozen=True, slots=True)
class Answers:
    """Log-probabilities of answer tokens, in nats, and the conversation of each: both [n]."""

    logprobs: Tensor
    rows: Tensor

    def per_conversation(self, count: int) -> Tensor:
        """The log-probability of each conversation's answers: [count]."""
        return self.logprobs.new_zeros(count).index_add(0, self.rows, self.logprobs)


class Student:
    """A PEFT model and its trained numbers."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Take a model over; its trained parameters become views of one vector."""
        self.model, self.tokenizer = model, tokenizer
        self.flat = Flat(model)
        self.device: torch.device = self.flat.values.device
        self.filler = int(tokenizer.pad_token_id or tokenizer.eos_token_id or 0)
        self.shortcuts: set[str] = set()
        self._base = model.get_base_model()
        self._head = self._base.get_output_embeddings()
        self._decoder: Any = getattr(self._base, self._base.base_model_prefix, None)

    def answers(self, examples: Sequence[Encoded]) -> Answers:
        """Log-probabilities of the examples' answers; with gradients where they are on."""
        logits, batch = self._predict(examples)
        loss = functional.cross_entropy(logits.float(), batch.targets, reduction="none")
        return Answers(-loss, batch.rows)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def would_say(self, examples: Sequence[Encoded]) -> list[bool]:
        """For each example whether its answers, word for word, are what greedy generation gives.

        One pass instead of one per token: each token must be the likeliest after those before.
        """
        logits, batch = self._predict(examples)
        missed = (logits.argmax(-1) != batch.targets).float()
        misses = missed.new_zeros(len(examples)).index_add(0, batch.rows, missed)
        return [count == 0 for count in misses.tolist()]

    def take_shortcuts(self, examples: Sequence[Encoded]) -> None:
        """Find the shortcuts that change nothing, by trying each on some examples."""
        with self._noisy():
            plain = self.answers(examples).logprobs
            for name in (FUSED, ANSWERS_ONLY, PACKED):
                self._try(name, examples, plain)

    def checkpoint_gradients(self) -> None:
        """Keep few activations and compute them again: less memory, a third more time."""
        self.model.gradient_checkpointing_enable({"use_reentrant": False})

    def _predict(self, examples: Sequence[Encoded]) -> tuple[Tensor, Batch]:
        """Logits for each answer token: [n, vocabulary]."""
        if PACKED in self.shortcuts:
            batch = pack(examples).to(self.device)
            states = self._decoder(
                input_ids=batch.token_ids,
                position_ids=batch.positions,
                attention_mask=self._no_mask(),
                packing=batch.packing,
                use_cache=False,
            ).last_hidden_state
            return self._head(states.flatten(0, 1)[batch.predicted_at]), batch
        batch = pad(examples, filler=self.filler).to(self.device)
        if ANSWERS_ONLY in self.shortcuts:
            states = self._decoder(input_ids=batch.token_ids, use_cache=False).last_hidden_state
            return self._head(states.flatten(0, 1)[batch.predicted_at]), batch
        logits = self.model(input_ids=batch.token_ids, use_cache=False).logits
        return logits.flatten(0, 1)[batch.predicted_at], batch

    def _no_mask(self) -> Tensor:
        """What keeps transformers from making a mask of its own: one of four dimensions is kept."""
        return torch.ones(1, 1, 1, 1, dtype=torch.bool, device=self.device)

    def _try(self, name: str, examples: Sequence[Encoded], plain: Tensor) -> None:
        if not self._bears(name):
            return
        self._switch(name, on=True)
        distance = (self.answers(examples).logprobs - plain).abs().mean().item()
        if not distance < _TOLERANCE_NATS.get(self._head.weight.dtype, 0.1):
            self._switch(name, on=False)

    def _switch(self, name: str, *, on: bool) -> None:
        if on:
            self.shortcuts.add(name)
        else:
            self.shortcuts.discard(name)
        if name == FUSED:
            (fuse if on else unfuse)(self.model)
        if name == PACKED:
            register()
            self._base.set_attn_implementation(PACKED_ATTENTION if on else "sdpa")

    def _bears(self, name: str) -> bool:
        """Whether a shortcut may be tried: what short examples would not show is asked here."""
        config = self.model.config.get_text_config()
        if name == FUSED:
            return True
        if self._decoder is None or any(getattr(config, key, None) for key in _SCALED_LOGITS):
            return False
        if name == ANSWERS_ONLY:
            return True
        cache = DynamicCache(config=self.model.config)  # other layers look back otherwise
        plain = all(type(layer) is DynamicLayer for layer in cache.layers)
        return plain and ANSWERS_ONLY in self.shortcuts and config._attn_implementation == "sdpa"

    @contextmanager
    def _noisy(self) -> Iterator[None]:
        """An adapter that does something, to try shortcuts on: a fresh one's B is zero."""
        noise = torch.randn(self.flat.values.shape, generator=torch.Generator().manual_seed(0))
        with self.flat.at(self.flat.copy() + _NOISE * noise.to(self.device)):
            yield
