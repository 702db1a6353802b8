"""One step of the optimiser: as many parts as memory wants, and one gradient of them all."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from records.errors import TrainingFailed
from tuning.training.checkpoint import State
from tuning.training.methods.phase import Phase
from tuning.training.student import Student
from tuning.training.team import Team

_LARGEST_GRADIENT = 1.0
_log = logging.getLogger(__name__)


def one_step(
    phase: Phase,
    state: State,
    student: Student,
    optimiser: torch.optim.Optimizer,
    *,
    team: Team,
    seed: int,
) -> Tensor:
    """One step over this step's lessons; its loss, not yet waited for.

    Raises:
        TrainingFailed: memory is short even for one lesson at a time.
    """
    torch.manual_seed(hash((seed, state.total_step)))  # dropout, also in a run that goes on
    items = phase.items(state.step, student, team)
    sums = torch.tensor([sum(item.size for item in items), sum(item.tokens for item in items)])
    size, tokens = (team.sum(sums.to(student.device)) if team.size > 1 else sums).tolist()
    state.tokens += int(tokens)
    if size == 0:  # nothing to learn from, as where a GRPO step's answers are all alike
        return torch.zeros((), device=student.device)
    loss = gradients(student, phase, state, items, size=size)
    gradient = team.sum(student.flat.gradient)
    gradient.mul_((_LARGEST_GRADIENT / (gradient.norm() + 1e-6)).clamp(max=1.0))
    optimiser.step()
    gradient.zero_()
    return team.sum(loss)


def gradients(
    student: Student, phase: Phase, state: State, items: Sequence[Any], *, size: float
) -> Tensor:
    """Sum up the gradients of a step's lessons; the loss, as a mean over `size`.

    Where memory is short, it begins again with less at once.

    Raises:
        TrainingFailed: memory is short even for one lesson at a time.
    """
    while True:
        try:
            total = torch.zeros((), device=student.device)
            for begin in range(0, len(items), state.at_once):
                loss = phase.loss(student, items[begin : begin + state.at_once]) / size
                loss.backward()
                total += loss.detach()
            return total
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            told = str(error).partition("\n")[0]
        student.flat.gradient.zero_()
        take_less(student, state, told)


def take_less(student: Student, state: State, told: str) -> None:
    """Halve what goes through the model at once; then compute activations twice.

    Raises:
        TrainingFailed: both are done already.
    """
    if state.at_once > 1:
        state.at_once = (state.at_once + 1) // 2
    elif not state.checkpointing:
        state.checkpointing = True
        student.checkpoint_gradients()
    else:
        raise memory_is_short()
    _log.warning(
        "memory is short (%s): %d at once from now on, activations computed %s",
        told,
        state.at_once,
        "twice" if state.checkpointing else "once",
    )
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short, on a GPU or here."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)


def memory_is_short() -> TrainingFailed:
    """Our error where nothing can be made smaller."""
    return TrainingFailed(
        "Not enough memory to train even one example at a time: lower max_length, take a smaller "
        "base, or quantise it where CUDA is."
    )
