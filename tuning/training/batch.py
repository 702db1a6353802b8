"""Conversations of several lengths as tensors, and where their answers are in them. Pure.

Packed: one row of all tokens, without filling, a beginning that all share (the system prompt) only
once. Or padded: a row each, filled up at the right, for models that cannot be packed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import torch

from tuning.training.chat_tokens import Encoded


@dataclass(frozen=True, slots=True)
class Packing:
    """Where packed tokens go when they attend: each conversation a row again.

    Of `width` columns, those that a conversation does not fill are no one's; behind a causal mask
    they change nothing.
    """

    beginning: int
    """Tokens at the front that all conversations share."""
    conversations: int
    width: int
    places: torch.Tensor
    """[tokens - beginning]: the flat place of each token among conversations x width."""
    mask: torch.Tensor | None
    """[width, beginning + width]: what each column sees; None where it is causal alone."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, and the `n` answer tokens that are learned, in the order of the conversations."""

    token_ids: torch.Tensor
    """[1, tokens] packed, [conversations, longest] padded; int64."""
    positions: torch.Tensor
    """As token_ids: each token's place in its conversation."""
    predicted_at: torch.Tensor
    """[n]: the flat place whose output foretells each answer token."""
    targets: torch.Tensor
    """[n]: the answer tokens."""
    rows: torch.Tensor
    """[n]: the conversation of each."""
    packing: Packing | None

    def to(self, device: torch.device) -> "Batch":
        """The same on a GPU, copied while it still works on something else."""
        return self if device.type == "cpu" else _moved(self, device)


def pack(examples: Sequence[Encoded]) -> Batch:
    """A batch without filling."""
    begin = common_beginning(examples)
    lengths = np.array([len(example.token_ids) - begin for example in examples])
    starts = begin + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    width = int(lengths.max())
    columns = np.concatenate([np.arange(length) for length in lengths])
    own = np.repeat(np.arange(len(examples)), lengths)
    ids = [np.asarray(example.token_ids[begin:], np.int64) for example in examples]
    ids.insert(0, np.asarray(examples[0].token_ids[:begin], np.int64))
    packing = Packing(
        begin,
        len(examples),
        width,
        torch.from_numpy(own * width + columns),
        torch.from_numpy(np.tri(width, begin + width, begin, dtype=bool)) if begin else None,
    )
    # What foretells a first answer token may be the beginning's last: it has one place for all.
    return _batch(
        examples,
        np.concatenate(ids)[None],
        np.concatenate([np.arange(begin), begin + columns])[None],
        place=lambda row, at: np.where(at < begin, at, starts[row] + at - begin),
        packing=packing,
    )


def pad(examples: Sequence[Encoded], *, filler: int) -> Batch:
    """A batch with a row for each conversation."""
    width = max(len(example.token_ids) for example in examples)
    ids = np.full((len(examples), width), filler, np.int64)
    for row, example in enumerate(examples):
        ids[row, : len(example.token_ids)] = example.token_ids
    positions = np.broadcast_to(np.arange(width), ids.shape).copy()
    return _batch(examples, ids, positions, place=lambda row, at: row * width + at, packing=None)


def common_beginning(examples: Sequence[Encoded]) -> int:
    """How many tokens all conversations begin with, up to the first answer; 0 for one alone."""
    if len(examples) < 2:
        return 0
    first = min(example.token_ids for example in examples)
    last = max(example.token_ids for example in examples)  # in this order, all others lie between
    both = zip(first, last, strict=False)
    shared = next((at for at, (one, other) in enumerate(both) if one != other), len(first))
    return min(shared, *(example.spans[0][0] for example in examples))


def _batch(
    examples: Sequence[Encoded],
    ids: np.ndarray,
    positions: np.ndarray,
    *,
    place: Callable[[int, np.ndarray], np.ndarray],
    packing: Packing | None,
) -> Batch:
    at: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    for row, example in enumerate(examples):
        tokens = np.asarray(example.token_ids, np.int64)
        for begin, end in example.spans:
            at.append(place(row, np.arange(begin - 1, end - 1)))
            targets.append(tokens[begin:end])
    counts = [example.learned for example in examples]
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(positions),
        torch.from_numpy(np.concatenate(at)),
        torch.from_numpy(np.concatenate(targets)),
        torch.from_numpy(np.repeat(np.arange(len(examples)), counts)),
        packing,
    )


MovableT = TypeVar("MovableT", Batch, Packing)


def _moved(parts: MovableT, device: torch.device) -> MovableT:
    found: dict[str, Any] = {}
    for field in fields(parts):
        value = getattr(parts, field.name)
        if isinstance(value, torch.Tensor):
            value = value.pin_memory().to(device, non_blocking=True)
        found[field.name] = _moved(value, device) if isinstance(value, Packing) else value
    return type(parts)(**found)
