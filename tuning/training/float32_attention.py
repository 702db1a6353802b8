"""Attention in float32 under a bfloat16 model, for CPUs.

PyTorch's bfloat16 kernels for attention take four times the time of its float32 ones on a CPU
(backward, measured), while multiplying matrices takes half: so each is given what it does best.
"""

from typing import Any

from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

FLOAT32_ATTENTION = "understudy_float32"
"""The name by which a model asks for it (`attn_implementation`)."""


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **options: Any
) -> tuple[Tensor, None]:
    answer, _ = sdpa_attention_forward(
        module, query.float(), key.float(), value.float(), attention_mask, **options
    )
    return answer.to(query.dtype), None


def register() -> None:
    """Make it known to transformers, once or again."""
    AttentionInterface.register(FLOAT32_ATTENTION, _attend)
    AttentionMaskInterface.register(FLOAT32_ATTENTION, sdpa_mask)
