"""What is said of a finished adapter: its figures, measured on the files that will be served."""

from collections.abc import Sequence
from typing import Any

import torch

from tuning.training import hardware, saving
from tuning.training.base_model import architecture, load_model
from tuning.training.chat_tokens import Encoded
from tuning.training.checkpoint import State
from tuning.training.held_out import HeldOut, Look
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.methods.phases import Course
from tuning.training.student import Student

_PROBE_CANDIDATES = 12
_SPARE = 0.8


def measure(
    folder: JobFolder, spec: Spec, tokenizer: Any, held_out: HeldOut, course: Course
) -> tuple[Look, list[dict[str, Any]]]:
    """A look at the adapter that was written, on the whole base, and the probes that prove it.

    In float32 where that fits: what the training computed in, 4 bits perhaps, is not what serves.
    """
    from peft import PeftModel

    exact = torch.float32 if _fits_in_float32(spec) else torch.bfloat16
    base = load_model(spec.base_model, dtype=exact)
    model = PeftModel.from_pretrained(base, str(folder.arriving), is_trainable=True)
    served = Student(model, tokenizer)
    served.model.eval()
    candidates: Sequence[Encoded] = held_out.answers or course.shown
    probes = saving.probes(served.model, candidates[:_PROBE_CANDIDATES])
    alone = HeldOut(held_out.answers, held_out.prompts, held_out.marking, held_out.most_tokens)
    return alone.look(served), probes


def metrics(
    course: Course, state: State, held_out: HeldOut, look: Look, *, planned: int
) -> dict[str, Any]:
    """A run's figures, for its manifest; None where nothing was held out."""
    looks = [point for point in state.curve if "held_out_loss" in point]
    losses = [point["loss"] for point in state.curve if "loss" in point]
    before = looks[0] if looks else {}
    kinds = {kind: count for kind, count in course.counts.items() if kind != "too long"}
    return {
        "examples": sum(kinds.values()),
        "lessons": kinds,
        "examples_too_long": course.counts.get("too long", 0),
        "held_out_examples": len(held_out.answers),
        "held_out_prompts": len(held_out.prompts),
        "steps": state.total_step,
        "planned_steps": planned,
        "best_step": state.best_step,
        "held_out_loss_before": before.get("held_out_loss"),
        "held_out_quality_before": before.get("held_out_quality"),
        "held_out_loss": None if look.loss is None else round(look.loss, 5),
        "held_out_quality": None if look.quality is None else round(look.quality, 5),
        "loss": losses[-1] if losses else None,
        "trained_tokens": state.tokens,
        "examples_at_once": state.at_once,
        "gradient_checkpointing": state.checkpointing,
        "time_is_up": state.time_is_up,
    }


def _fits_in_float32(spec: Spec) -> bool:
    if not torch.cuda.is_available():
        return True
    wanted = architecture(spec.base_model).parameters * 4 >> 20
    return wanted < hardware.free_megabytes() * _SPARE
