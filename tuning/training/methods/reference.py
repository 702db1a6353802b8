"""What a model said before a phase began: log-probabilities that preferences are measured from.

They are computed once, by the model itself before it is changed: no second model in memory, and
one pass over the data instead of one per step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from tuning.training.chat_tokens import Encoded
from tuning.training.student import Student

_AT_ONCE = 32


@torch.no_grad()  # type: ignore[untyped-decorator]
def logprobs_of(student: Student, examples: Sequence[Encoded]) -> Tensor:
    """The log-probability of each example's answer, in nats: [examples]."""
    order = sorted(range(len(examples)), key=lambda i: (len(examples[i].token_ids), i))
    found = torch.zeros(len(examples), device=student.device)
    for begin in range(0, len(order), _AT_ONCE):
        part = order[begin : begin + _AT_ONCE]
        answers = student.answers([examples[i] for i in part])
        found[torch.tensor(part, device=student.device)] = answers.per_conversation(len(part))
    return found
