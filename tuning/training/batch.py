"""Conversations of several lengths as one tensor, and where their answers are in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tuning.training.chat_tokens import Encoded


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, filled up at the right: behind a causal mask, what follows changes nothing.

    `n` answer tokens are learned in all, in the order of the conversations.
    """

    token_ids: torch.Tensor
    """[conversations, longest], int64."""
    predicted_at: torch.Tensor
    """[n]: the flat position whose output foretells each answer token."""
    targets: torch.Tensor
    """[n]: the answer tokens."""
    rows: torch.Tensor
    """[n]: the conversation of each."""

    def to(self, device: torch.device) -> "Batch":
        """The same on a GPU, copied while it still works on something else."""
        if device.type == "cpu":
            return self
        parts = (self.token_ids, self.predicted_at, self.targets, self.rows)
        return Batch(*(part.pin_memory().to(device, non_blocking=True) for part in parts))


def lay_out(examples: Sequence[Encoded], *, skip: int = 0, filler: int) -> Batch:
    """The batch of some conversations, without the `skip` tokens that all begin with."""
    width = max(len(example.token_ids) for example in examples) - skip
    ids = np.full((len(examples), width), filler, np.int64)
    at: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    for row, example in enumerate(examples):
        tokens = np.asarray(example.token_ids, np.int64)
        ids[row, : len(tokens) - skip] = tokens[skip:]
        for begin, end in example.spans:
            at.append(row * width + np.arange(begin - 1 - skip, end - 1 - skip))
            targets.append(tokens[begin:end])
    counts = [example.learned for example in examples]
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(np.concatenate(at)),
        torch.from_numpy(np.concatenate(targets)),
        torch.from_numpy(np.repeat(np.arange(len(examples)), counts)),
    )


def common_beginning(examples: Sequence[Encoded]) -> int:
    """How many tokens all conversations begin with, short of what foretells a first answer."""
    first = min(example.token_ids for example in examples)
    last = max(example.token_ids for example in examples)  # in this order, all others lie between
    both = zip(first, last, strict=False)
    shared = next((at for at, (one, other) in enumerate(both) if one != other), len(first))
    return max(0, min(shared, *(example.spans[0][0] - 1 for example in examples)))
