"""A LoRA layer in fewer passes over memory than PEFT's own, with the same result.

y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ, with W frozen. PEFT makes each term and adds them; autograd then keeps and
adds what the backward pass needs. Here the low-rank term is added while it is multiplied, forward
and backward, and nothing of W's gradient is touched. A and B stay float32; where the base computes
in bfloat16, so do they, rounded anew for each pass.
"""

from collections.abc import Iterator
from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn


class _LowRank(torch.autograd.Function):  # type: ignore[misc]  # torch is not typed for mypy
    """Shapes: x [..., in], weight [out, in], a [rank, in], b [out, rank]; result [..., out]."""

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        a: Tensor,
        b: Tensor,
        scale: float,
    ) -> Tensor:
        a, b = a.to(weight.dtype), b.to(weight.dtype)
        rows = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        narrow = rows @ a.t()
        y = rows @ weight.t() if bias is None else torch.addmm(bias, rows, weight.t())
        y.addmm_(narrow, b.t(), alpha=scale)
        context.save_for_backward(rows, weight, a, b, narrow)
        context.scale, context.given = scale, x.dtype
        return y.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, a, b, narrow = context.saved_tensors
        (dy,) = gradients
        shape = (*dy.shape[:-1], weight.shape[1])
        dy = dy.reshape(-1, dy.shape[-1])
        back = dy @ b
        da = (back.t() @ rows).float() * context.scale
        db = (dy.t() @ narrow).float() * context.scale
        dx = None
        if context.needs_input_grad[0]:
            dx = (dy @ weight).addmm_(back, a, alpha=context.scale)
            dx = dx.view(shape).to(context.given)
        return dx, None, None, da, db, None


def fuse(model: Any) -> int:
    """Let a PEFT model's LoRA layers compute in this way; returns how many do.

    Layers that drop inputs while they train, quantised ones and others than linear keep PEFT's.
    """
    fused = 0
    for layer in _plain_layers(model):
        layer.forward = _forward(layer)
        fused += 1
    return fused


def unfuse(model: Any) -> None:
    """Give the layers PEFT's own way back."""
    for layer in model.modules():
        if isinstance(layer, Linear):
            layer.__dict__.pop("forward", None)


def _plain_layers(model: Any) -> Iterator[Any]:
    for layer in model.modules():
        if not isinstance(layer, Linear) or type(layer.base_layer) is not nn.Linear:
            continue
        (name,) = layer.active_adapters
        drops = not isinstance(layer.lora_dropout[name], nn.Identity)
        if not (drops or layer.fan_in_fan_out or layer.lora_variant):
            yield layer


def _forward(layer: Any) -> Any:
    (name,) = layer.active_adapters
    base, a, b = layer.base_layer, layer.lora_A[name], layer.lora_B[name]
    scale = layer.scaling[name]

    def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
        if layer.disable_adapters:
            return base(x)
        found: Tensor = _LowRank.apply(x, base.weight, base.bias, a.weight, b.weight, scale)
        return found

    return forward
