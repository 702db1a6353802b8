"""An adapter's numbers as one vector, and their gradients as another.

So the optimiser, the clipping, a checkpoint, a sum over several trainers and "the model as it was
at the start" each are one operation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Flat:
    """The trained parameters of a model, which become views into `values`, in their order."""

    def __init__(self, model: Any) -> None:
        """Take over every parameter that is trained."""
        trained: list[nn.Parameter] = [p for p in model.parameters() if p.requires_grad]
        for parameter in trained:
            parameter.data = parameter.data.float()
        self.values = nn.Parameter(torch.cat([p.data.flatten() for p in trained]))
        self.values.grad = torch.zeros_like(self.values)
        at = 0
        for parameter in trained:
            view = slice(at, at := at + parameter.numel())
            parameter.data = self.values.data[view].view_as(parameter)
            parameter.grad = self.values.grad[view].view_as(parameter)

    @property
    def gradient(self) -> Tensor:
        """The gradient of all; summed up until it is zeroed."""
        assert self.values.grad is not None
        return self.values.grad

    def copy(self) -> Tensor:
        """The numbers as they are now."""
        return self.values.data.clone()

    def set(self, values: Tensor) -> None:
        """Put other numbers in their place."""
        self.values.data.copy_(values)

    @contextmanager
    def at(self, values: Tensor) -> Iterator[None]:
        """For a while, the model with these numbers; without gradients."""
        now = self.copy()
        self.set(values)
        try:
            with torch.no_grad():
                yield
        finally:
            self.set(now)
