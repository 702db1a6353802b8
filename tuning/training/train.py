"""Train one adapter: `python -m tuning.training.train JOB_FOLDER`. Reads from top to bottom.

Purpose: LoRA (PEFT) on a frozen base model, by the method that the recipe names. It is the worker's
child process: it ends when the worker does, works in its job's folder alone, and goes on from the
last whole checkpoint. On the same machine's CPU the same job gives the same adapter.
"""

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from records.errors import TrainingFailed, UnderstudyError
from records.offline import go_offline
from tuning.dataset.rows import HELD_OUT, read_rows
from tuning.training import budget, checkpoint, hardware, lessons, mask, saving
from tuning.training.base_model import architecture, load_model, load_tokenizer
from tuning.training.checkpoint import State
from tuning.training.held_out import HeldOut, Look, sample
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, Spec, storage_error
from tuning.training.locks import exclusive
from tuning.training.lora import attach, check_continues
from tuning.training.marking import Marking
from tuning.training.measuring import measure, metrics
from tuning.training.memory import plan
from tuning.training.methods.phase import Phase
from tuning.training.methods.phases import Builder, Course
from tuning.training.news import News
from tuning.training.recipe import Initialisation, Judge
from tuning.training.schedule import share_of_learning_rate
from tuning.training.step import memory_is_short, one_step, out_of_memory
from tuning.training.student import Student
from tuning.training.team import Team
from tuning.training.trackers import Trackers

_CHECKPOINTS_PER_PHASE = 8
_MOST_CHECKPOINT_STEPS = 200
_LOG_STEPS = 10
_TRIED_EXAMPLES = 4
_ANSWER_TOKENS_MORE = 8
"""A written answer may be so much longer than the longest right one."""
_log = logging.getLogger(__name__)


# --- 1. The process: one trainer per folder and per accelerator, never longer than its worker ---


def main() -> None:
    """Train what the folder's specification says; its errors are written there for the worker."""
    go_offline()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    folder = JobFolder(Path(sys.argv[1]))
    if END_WITH_STDIN in sys.argv[2:]:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        spec = folder.read_spec()
        folder.append_progress({"stage": "waiting for the accelerator"})
        with exclusive(folder.lock), exclusive(spec.accelerator_lock):
            folder.clear_error()
            if not folder.adapter.exists():
                train(folder, spec)
    except UnderstudyError as error:
        folder.write_error(error)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the process's edge: the worker gets a sentence
        _log.exception("training failed")
        folder.write_error(storage_error(error) or _training_failed(error))
        sys.exit(1)


def _end_with_stdin() -> None:
    """The worker holds our standard input open; its end, even by kill -9, is ours."""
    os.read(0, 1)
    os._exit(1)


def _training_failed(error: Exception) -> TrainingFailed:
    if out_of_memory(error):
        return memory_is_short()
    return TrainingFailed(f"Training failed: {type(error).__name__}: {error}")


# --- 2. The run: data, model, phases, adapter ---


@dataclass(frozen=True, slots=True)
class Run:
    """What a training works with, whatever its method."""

    folder: JobFolder
    spec: Spec
    student: Student
    held_out: HeldOut
    news: News
    trackers: Trackers
    team: Team
    on_checkpoint: Callable[[Path | None], None]


def train(
    folder: JobFolder, spec: Spec, *, on_checkpoint: Callable[[Path | None], None] = lambda _: None
) -> Path:
    """Train, or go on training, and leave the finished adapter in the folder.

    Several processes that have joined `torch.distributed` train one adapter together; the first of
    them writes. `on_checkpoint` is called in each of them whenever a checkpoint is whole: with its
    folder in the first, with None in the others. All go on from what the folder holds.

    Raises:
        TrainingFailed: nothing to train on after the length limit, or the loss is not a number.
        AdapterUnservable: the champion's adapter can't be gone on from with this recipe.
    """
    team = Team.joined()
    torch.set_num_threads(spec.threads)
    budget.keep_within(spec.memory_mb)
    if team.leads:
        folder.append_progress({"stage": "loading"})
    tokenizer = load_tokenizer(spec.base_model)
    held_out = read_held_out(spec, tokenizer, team=team)
    course = read_course(spec, tokenizer, most_tokens=held_out.most_tokens)
    student = make_student(folder, spec, tokenizer)
    state = where_it_was(folder, student, team=team) or first_state(spec, student, course)
    student.take_shortcuts(course.shown[:_TRIED_EXAMPLES])
    if state.checkpointing:
        student.checkpoint_gradients()
    news = News(folder, recipe=spec.recipe, steps=sum(phase.steps for phase in course.phases))
    news.begin(state)
    trackers = Trackers(
        spec.report_to if team.leads else (),
        folder=spec.curves,
        project=spec.assistant,
        run=folder.path.name,
        settings=spec.recipe.model_dump(mode="json"),
    )
    run = Run(folder, spec, student, held_out, news, trackers, team, on_checkpoint)
    processor = time.process_time()
    run_phases(run, course, state)
    processor = time.process_time() - processor
    trackers.close()
    if team.leads:
        folder.append_progress({"stage": "saving"})
        saving.write_adapter(student, folder, spec)
        shortcuts, seconds = sorted(student.shortcuts), round(news.seconds(), 1)
        del run, student  # the served model is measured in the memory that they had
        look, probes = measure(folder, spec, tokenizer, held_out, course)
        results = {
            "metrics": metrics(course, state, held_out, look, planned=news.steps),
            "loss_curve": state.curve,
            "mask": mask.show(tokenizer, course.shown),
            "probes": probes,
            "shortcuts": shortcuts,
            "training_seconds": seconds,
            "processor_seconds": round(processor, 1),
        }
        saving.finish(folder, spec, results)
        folder.clean()
    team.wait()
    return folder.adapter


def run_phases(run: Run, course: Course, state: State) -> None:
    """The method's phases from wherever `state` is, each on what the one before left.

    Raises:
        TrainingFailed: nothing was learned.
    """
    run.student.flat.set(state.values)
    for number in range(state.phase, len(course.phases)):
        if number > state.phase:
            next_phase(state, run.student)
        run_phase(run, course.phases[number], state, fresh=number == 0)
        if state.time_is_up:
            break
    if state.tokens == 0:
        raise TrainingFailed(
            "There was nothing to learn: whatever the model answered to a prompt was worth the "
            "same. Train it with method sft first, and set start_from: champion."
        )


def read_course(spec: Spec, tokenizer: Any, *, most_tokens: int) -> Course:
    """The phases of the recipe's method; `most_tokens` bounds answers written in training."""
    return Builder(
        spec.dataset_folder,
        tokenizer,
        spec.recipe,
        longest=spec.max_length,
        marking=Marking(spec.marker, spec.right_answer_f1),
        most_tokens=most_tokens,
    ).build()


def read_held_out(spec: Spec, tokenizer: Any, *, team: Team) -> HeldOut:
    """The held-out answers and prompts that looks are taken at."""
    recipe = spec.recipe
    rows = list(read_rows(spec.dataset_folder / HELD_OUT))
    answers, _ = lessons.fitting(lessons.answers(rows, tokenizer), longest=spec.max_length)
    prompts, _ = lessons.fitting(lessons.prompts(rows, tokenizer), longest=spec.max_length)
    longest = max((one.learned for one in answers), default=0) + _ANSWER_TOKENS_MORE
    return HeldOut(
        answers=sample(answers, recipe.held_out_limit, seed=recipe.seed),
        prompts=sample(prompts, recipe.held_out_prompts, seed=recipe.seed),
        marking=Marking(spec.marker, spec.right_answer_f1),
        most_tokens=longest,
        team=team,
    )


def make_student(folder: JobFolder, spec: Spec, tokenizer: Any) -> Student:
    """The frozen base with the adapter to train, on the accelerator."""
    recipe = spec.recipe
    if recipe.quantise:
        hardware.check_quantisable()
    base = load_model(spec.base_model, dtype=hardware.precision(recipe), quantised=recipe.quantise)
    torch.manual_seed(recipe.seed)
    if spec.start_adapter is not None:
        check_continues(recipe, spec.start_adapter, base_hash=spec.base_hash)
    student = Student(attach(base, recipe, start_adapter=spec.start_adapter), tokenizer)
    student.model.eval()
    if recipe.initialisation is Initialisation.PISSA:
        saving.write_initial(student, folder)
    return student


def where_it_was(folder: JobFolder, student: Student, *, team: Team) -> State | None:
    """What the last whole checkpoint says; None where a run begins."""
    state = checkpoint.load(folder, device=student.device)
    if state is not None and team.leads:
        folder.append_progress({"stage": "training", "resumed_at": state.total_step})
    return state


def first_state(spec: Spec, student: Student, course: Course) -> State:
    """Where a run begins: the adapter as it was made, and as many examples at once as fit."""
    cut = plan(
        spec.recipe,
        architecture(spec.base_model),
        longest=course.longest,
        half=hardware.precision(spec.recipe) is torch.bfloat16,
        available_mb=spec.memory_mb or hardware.free_megabytes(),
    )
    return State(
        values=student.flat.copy(),
        start=student.flat.copy(),
        at_once=cut.examples_at_once,
        checkpointing=cut.checkpointing,
    )


def next_phase(state: State, student: Student) -> None:
    """Go on with the adapter that the phase before left, and a fresh optimiser."""
    state.phase, state.steps_before, state.step = state.phase + 1, state.total_step, 0
    state.start, state.optimiser = student.flat.copy(), {}
    state.best = state.best_score = state.best_step = None
    state.looks_since_best, state.done = 0, False


# --- 3. A phase: steps of the optimiser, with looks at held-out examples between them ---


def run_phase(run: Run, phase: Phase, state: State, *, fresh: bool) -> None:
    """Train a phase to its end, from wherever `state` is; the best adapter found stays on.

    `fresh`: nothing was trained before, so that the adapter at the start is none to keep.
    """
    student, recipe, team = run.student, run.spec.recipe, run.team
    student.model.eval()  # what was said before is measured without dropout
    with student.flat.at(state.start):
        phase.begin(student)
    optimiser = torch.optim.AdamW(
        [student.flat.values], weight_decay=recipe.weight_decay, fused=True
    )
    if state.optimiser:
        optimiser.load_state_dict(state.optimiser)
    every = recipe.checkpoint_steps or min(
        math.ceil(phase.steps / _CHECKPOINTS_PER_PHASE), _MOST_CHECKPOINT_STEPS
    )
    if state.step == 0:
        take_look(run, phase, state, keep=not fresh or run.spec.start_adapter is not None)
    recent = torch.zeros((), device=student.device)  # losses not yet told: no waiting for a GPU
    student.model.train()
    while state.step < phase.steps and not state.done:
        optimiser.param_groups[0]["lr"] = phase.learning_rate * share_of_learning_rate(
            state.step, phase.steps, scheduler=recipe.scheduler, warmup_ratio=recipe.warmup_ratio
        )
        recent += one_step(phase, state, student, optimiser, team=team, seed=recipe.seed)
        state.step += 1
        state.loss_steps += 1
        last = state.step == phase.steps
        if not last and team.any(run.news.time_is_up()):
            last = state.done = state.time_is_up = True
        if last or state.step % every == 0 or state.loss_steps >= _LOG_STEPS or run.news.due():
            tell_loss(run, phase, state, recent)
        if last or state.step % every == 0:
            take_look(run, phase, state, keep=True)
            keep_checkpoint(run, state, optimiser)
    if state.best is not None:
        student.flat.set(state.best)


# --- 4. Between steps: losses, looks, checkpoints ---


def tell_loss(run: Run, phase: Phase, state: State, recent: Tensor) -> None:
    """Take the mean loss since the last time; refuse to go on with one that is not a number.

    Raises:
        TrainingFailed: the loss is NaN or infinite.
    """
    loss = float(recent.item()) / state.loss_steps
    recent.zero_()
    state.loss_steps = 0
    if not math.isfinite(loss):
        raise TrainingFailed(
            f"The loss is {loss} at step {state.total_step}: lower the recipe's learning rate."
        )
    figures = {"loss": loss, **phase.figures()}
    known = {name: round(value, 5) for name, value in figures.items()}
    state.curve.append({"step": state.total_step, "phase": phase.name, **known})
    run.trackers.log(
        {f"{phase.name}/{name}": f for name, f in known.items()}, step=state.total_step
    )
    if run.team.leads and run.news.due():
        run.news.tell(state, phase=phase.name, loss=loss)


def take_look(run: Run, phase: Phase, state: State, *, keep: bool) -> None:
    """Measure on what is held out; keep the best adapter, and stop where nothing gets better."""
    if not run.held_out.answers:
        return
    look = run.held_out.look(run.student)
    point = {"held_out_loss": look.loss, "held_out_quality": look.quality}
    known = {name: round(value, 5) for name, value in point.items() if value is not None}
    state.curve.append({"step": state.total_step, "phase": phase.name, **known})
    run.trackers.log(known, step=state.total_step)
    if run.team.leads:
        run.news.tell(state, phase=phase.name, **point)
    if not (keep and phase.judged):
        return
    score = score_of(look, run.spec.recipe.judge, prefers=phase.prefers)
    if state.best_score is None or score > state.best_score:
        state.best, state.best_score = run.student.flat.copy(), score
        state.best_step, state.looks_since_best = state.total_step, 0
    else:
        state.looks_since_best += 1
        state.done |= state.looks_since_best >= run.spec.recipe.early_stopping_patience


def score_of(look: Look, judge: Judge, *, prefers: bool) -> tuple[float, ...]:
    """A look as something that grows as the model gets better.

    Of equal quality, which is counted on few prompts, the lower loss is better.
    """
    loss = -math.inf if look.loss is None else -look.loss
    by_quality = judge is Judge.QUALITY or (judge is Judge.AUTO and prefers)
    if by_quality and look.quality is not None:
        return (look.quality, loss)
    return (loss,)


def keep_checkpoint(run: Run, state: State, optimiser: torch.optim.Optimizer) -> None:
    """Write where the run is, so that it can go on from here."""
    state.values, state.optimiser = run.student.flat.copy(), optimiser.state_dict()
    run.on_checkpoint(checkpoint.save(state, run.folder) if run.team.leads else None)


if __name__ == "__main__":
    main()
