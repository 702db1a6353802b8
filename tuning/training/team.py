"""Several trainers on one run (data parallel), or one alone: who does what, and what all agree on.

Whoever starts several of them (Ray Train) sets up `torch.distributed` first; each then takes its
share of every step's examples, and gradients are summed over all. What is decided from shared
sums is decided alike by all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Team:
    """One of `size` trainers, numbered from 0; the first tells news and writes files."""

    rank: int = 0
    size: int = 1

    @classmethod
    def joined(cls) -> "Team":
        """The team that this process has joined; one of its own where it joined none."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this one tells news and writes files."""
        return self.rank == 0

    def share(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """This one's share: every so manieth, so that lengths are spread evenly."""
        return items[self.rank :: self.size]

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all trainers, written into `tensor`."""
        if self.size > 1:
            distributed.all_reduce(tensor)
        return tensor

    def any(self, wish: bool) -> bool:  # noqa: FBT001 - a vote
        """Whether one of all wishes so."""
        if self.size == 1:
            return wish
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        return bool(self.sum(torch.tensor([float(wish)], device=device)).item())

    def wait(self) -> None:
        """Wait until all are here."""
        if self.size > 1:
            distributed.barrier()
