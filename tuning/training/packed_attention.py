"""Attention for packed batches: tokens go through all layers without filling, and attend by row.

Linear layers, norms and the rest see one row of tokens; only attention needs to know whose they
are. Under a bfloat16 model on a CPU it is computed in float32: PyTorch's bfloat16 kernel takes four
times as long there (backward, measured), though its matrix products take half.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from tuning.training.batch import Packing

PACKED_ATTENTION = "understudy_packed"
"""The name by which a model asks for it (`attn_implementation`)."""


def register() -> None:
    """Make it known to transformers, once or again."""
    AttentionInterface.register(PACKED_ATTENTION, _attend)
    AttentionMaskInterface.register(PACKED_ATTENTION, sdpa_mask)


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packing: Packing | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Shapes are transformers': [rows, heads, tokens, width], heads and tokens swapped on return.

    Without a `packing` (generation, padded batches) it is the usual attention.
    """
    given = query.dtype
    if query.device.type == "cpu":
        query, key, value = query.float(), key.float(), value.float()
    if packing is None:
        found, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    else:
        found = _by_row(module, query, key, value, packing, options)
    return found.to(given), None


def _by_row(
    module: Any, query: Tensor, key: Tensor, value: Tensor, packing: Packing, options: Any
) -> Tensor:
    """The beginning attends to itself; each conversation to the beginning and to itself.

    (Parts are split off, not sliced: the gradient of a slice fills a whole tensor with zeros.)
    """
    heads = [part.shape[1] for part in (query, key, value)]
    both = torch.cat([query, key, value], dim=1).squeeze(0)
    begin = packing.beginning
    first, rest = both.split([begin, both.shape[1] - begin], dim=1)
    rows = _spread(rest, packing)
    if not begin:
        found, _ = sdpa_attention_forward(module, *rows.split(heads, dim=1), None, **options)
        return _gather(found, packing)
    parts = first.unsqueeze(0).split(heads, dim=1)
    early, _ = sdpa_attention_forward(module, *parts, None, **options)
    own, keys, values = rows.split(heads, dim=1)
    keys, values = (
        torch.cat([shared.expand(packing.conversations, -1, -1, -1), later], dim=2)
        for shared, later in zip(parts[1:], (keys, values), strict=True)
    )
    found, _ = sdpa_attention_forward(module, own, keys, values, packing.mask, **options)
    return torch.cat([early, _gather(found, packing)], dim=1)


def _spread(tokens: Tensor, packing: Packing) -> Tensor:
    """[heads, tokens, width] to [conversations, heads, columns, width], zeros where none is."""
    heads, _, size = tokens.shape
    rows = tokens.new_zeros(packing.conversations * packing.width, heads, size)
    rows = rows.index_copy(0, packing.places, tokens.transpose(0, 1))
    return rows.view(packing.conversations, packing.width, heads, size).transpose(1, 2)


def _gather(rows: Tensor, packing: Packing) -> Tensor:
    """[conversations, columns, heads, width] to [1, tokens, heads, width]."""
    found: Tensor = _Gather.apply(rows.flatten(0, 1), packing.places)
    return found.unsqueeze(0)


class _Gather(torch.autograd.Function):  # type: ignore[misc]  # torch is not typed for mypy
    """Rows of a tensor by places that are all different: its gradient is a copy, not a sum."""

    @staticmethod
    def forward(context: Any, rows: Tensor, places: Tensor) -> Tensor:
        context.save_for_backward(places)
        context.shape = rows.shape
        return rows.index_select(0, places)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (places,) = context.saved_tensors
        (gradient,) = gradients
        return gradient.new_zeros(context.shape).index_copy_(0, places, gradient), None
