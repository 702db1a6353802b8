"""The model that learns: a frozen base with an adapter, and the log-probabilities of its answers.

Three shortcuts make it fast: LoRA layers fused, logits at answers only, and a long beginning that
a batch shares (the system prompt) computed once. They are held against the plain way on the run's
own data before it begins, and left out where a base model does not bear them.
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

from tuning.training.batch import Batch, common_beginning, lay_out
from tuning.training.chat_tokens import Encoded
from tuning.training.flat import Flat
from tuning.training.fused_lora import fuse, unfuse

_SHARE_FROM = 0.4
"""Of a batch's tokens, the part that sharing a beginning must save to repay its second pass."""
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
        self._share_from = _SHARE_FROM
        base = model.get_base_model()
        self._head = base.get_output_embeddings()
        self._decoder: Any = getattr(base, base.base_model_prefix, None)

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

    def _predict(self, examples: Sequence[Encoded]) -> tuple[Tensor, Batch]:
        """Logits for each answer token: [n, vocabulary]."""
        skip = self._shared(examples)
        batch = lay_out(examples, skip=skip, filler=self.filler).to(self.device)
        if skip:
            states = self._after(examples[0].token_ids[:skip], batch)
        elif "answers only" in self.shortcuts:
            states = self._decoder(input_ids=batch.token_ids, use_cache=False).last_hidden_state
        else:
            logits = self.model(input_ids=batch.token_ids, use_cache=False).logits
            return logits.flatten(0, 1)[batch.predicted_at], batch
        return self._head(states.flatten(0, 1)[batch.predicted_at]), batch

    def take_shortcuts(self, examples: Sequence[Encoded]) -> None:
        """Find the shortcuts that change nothing, by trying each on some examples."""
        with self._noisy():
            plain = self.answers(examples).logprobs
            self._share_from = 0.0
            for name in ("fused", "answers only", "shared beginning"):
                self._try(name, examples, plain)
            self._share_from = _SHARE_FROM

    def checkpoint_gradients(self) -> None:
        """Keep few activations and compute them again: less memory, a third more time."""
        self.model.gradient_checkpointing_enable({"use_reentrant": False})
        self.shortcuts.discard("shared beginning")  # its cache can't be computed twice

    def _try(self, name: str, examples: Sequence[Encoded], plain: Tensor) -> None:
        if not self._bears(name):
            return
        self.shortcuts.add(name)
        if name == "fused":
            fuse(self.model)
        distance = (self.answers(examples).logprobs - plain).abs().mean().item()
        if not distance < _TOLERANCE_NATS.get(self._head.weight.dtype, 0.1):
            self.shortcuts.discard(name)
            if name == "fused":
                unfuse(self.model)

    def _bears(self, name: str) -> bool:
        config = self.model.config.get_text_config()
        if name == "fused":
            return True
        if self._decoder is None or any(getattr(config, key, None) for key in _SCALED_LOGITS):
            return False
        if name == "answers only":
            return True
        cache = DynamicCache(config=self.model.config)
        plain = all(type(layer) is DynamicLayer for layer in cache.layers)
        return plain and "answers only" in self.shortcuts

    def _shared(self, examples: Sequence[Encoded]) -> int:
        """Tokens at the beginning to compute once, or 0 where it isn't worth it."""
        if "shared beginning" not in self.shortcuts or len(examples) < 2:
            return 0
        begin = common_beginning(examples)
        tokens = sum(len(example.token_ids) for example in examples)
        return begin if begin * (len(examples) - 1) >= self._share_from * tokens else 0

    def _after(self, beginning: list[int], batch: Batch) -> Tensor:
        """Hidden states of a batch that goes on after one beginning: [conversations, width, h]."""
        cache = DynamicCache(config=self.model.config)
        ids = torch.tensor([beginning], device=self.device)
        self._decoder(input_ids=ids, past_key_values=cache, use_cache=True)
        for layer in cache.layers:
            layer.keys = layer.keys.expand(len(batch.token_ids), -1, -1, -1)
            layer.values = layer.values.expand(len(batch.token_ids), -1, -1, -1)
        found: Tensor = self._decoder(
            input_ids=batch.token_ids, past_key_values=cache, use_cache=True
        ).last_hidden_state
        return found

    @contextmanager
    def _noisy(self) -> Iterator[None]:
        """An adapter that does something, to try shortcuts on: a fresh one's B is zero."""
        noise = torch.randn(self.flat.values.shape, generator=torch.Generator().manual_seed(0))
        with self.flat.at(self.flat.copy() + _NOISE * noise.to(self.device)):
            yield
