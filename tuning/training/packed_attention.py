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
    """The beginning attends to itself; each conversation to the beginning and to itself."""
    begin = packing.beginning
    rows = [_spread(part[0, :, begin:], packing) for part in (query, key, value)]
    if begin:
        for at, part in ((1, key), (2, value)):
            shared = part[:, :, :begin].expand(packing.conversations, -1, -1, -1)
            rows[at] = torch.cat([shared, rows[at]], dim=2)
    found, _ = sdpa_attention_forward(module, *rows, packing.mask, **options)
    gathered: Tensor = _Gather.apply(found.flatten(0, 1), packing.places)[None]
    if not begin:
        return gathered
    parts = (part[:, :, :begin] for part in (query, key, value))
    first, _ = sdpa_attention_forward(module, *parts, None, **options)
    return torch.cat([first, gathered], dim=1)


def _spread(tokens: Tensor, packing: Packing) -> Tensor:
    """[heads, tokens, width] to [conversations, heads, columns, width], zeros where none is."""
    heads, _, size = tokens.shape
    rows = tokens.new_zeros(packing.conversations * packing.width, heads, size)
    rows = rows.index_copy(0, packing.places, tokens.transpose(0, 1))
    return rows.view(packing.conversations, packing.width, heads, size).transpose(1, 2)


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
