"""Train one adapter: `python -m tuning.training.train JOB_FOLDER`. Reads from top to bottom.

Purpose: LoRA on a frozen base model (TRL, PEFT), loss on the last answer only. It is the worker's
child process: it ends when the worker does, works in its job's folder alone, and goes on from the
last whole checkpoint. On the same machine's CPU the same job gives the same adapter.
"""

import importlib.metadata
import json
import logging
import math
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer
from trl import SFTConfig, SFTTrainer

from records.adapters import CONFIG, MANIFEST
from records.errors import TrainingFailed, UnderstudyError
from records.ids import utc_now
from records.settings import go_offline
from tuning.dataset.rows import HELD_OUT, TRAIN, read_rows
from tuning.training.chat_tokens import IGNORED, Encoded, encode
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, Spec, storage_error
from tuning.training.locks import exclusive
from tuning.training.lora import lora_config
from tuning.training.news import News
from tuning.training.order import training_order
from tuning.training.recipe import Precision, Recipe

_LIBRARIES = ("torch", "transformers", "peft", "trl", "accelerate")
_CHECKPOINTS_PER_RUN = 8
_MOST_CHECKPOINT_STEPS = 200
_PROBE_CANDIDATES, _PROBES = 12, 3
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
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return TrainingFailed(
            "Not enough memory to train: halve batch_size and double gradient_accumulation."
        )
    return TrainingFailed(f"Training failed: {type(error).__name__}: {error}")


# --- 2. The run: data, model, trainer, adapter ---


def train(folder: JobFolder, spec: Spec) -> Path:
    """Train, or go on training, and leave the finished adapter in the folder.

    Raises:
        TrainingFailed: nothing to train on after the length limit, or the loss is not a number.
    """
    recipe = spec.recipe
    torch.set_num_threads(spec.threads)
    folder.append_progress({"stage": "loading"})
    tokenizer = AutoTokenizer.from_pretrained(spec.base_model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    examples, long = read_examples(spec.dataset_folder / TRAIN, tokenizer, spec=spec)
    held_out, _ = read_examples(spec.dataset_folder / HELD_OUT, tokenizer, spec=spec)
    held_out = held_out[: recipe.held_out_limit]
    if not examples:
        raise TrainingFailed(
            f"None of the {long} examples fits {spec.max_length} tokens; raise the recipe's "
            "max_length and the engine's max_model_len."
        )
    order = training_order(
        [len(e.token_ids) for e in examples],
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
    )
    checkpoint = folder.last_checkpoint()
    news = News(folder, tokens=[len(examples[i].token_ids) for i in order], recipe=recipe)
    trainer = AnswerTrainer(
        model=load_base(spec),
        args=arguments(folder, recipe, examples=len(order), held_out=bool(held_out)),
        train_dataset=_columns([examples[i] for i in order]),
        eval_dataset=_columns(held_out) if held_out else None,
        processing_class=tokenizer,
        peft_config=lora_config(recipe),
        callbacks=[news],
    )
    if checkpoint is not None:
        folder.append_progress({"stage": "training", "resumed_at": _step_of(checkpoint)})
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    folder.append_progress({"stage": "saving"})
    results = {
        "metrics": {
            **_metrics(trainer, examples=len(examples), held_out=len(held_out), long=long),
            "time_is_up": news.time_is_up,
        },
        "loss_curve": _curve(trainer.state.log_history),
        "probes": probes(trainer.model, (held_out or examples)[:_PROBE_CANDIDATES]),
        "training_seconds": round(news.seconds(), 1),
    }
    save_adapter(trainer.model, folder, spec, results)
    folder.clean()
    return folder.adapter


def read_examples(path: Path, tokenizer: Any, *, spec: Spec) -> tuple[list[Encoded], int]:
    """The examples of a file that fit the length limit, and how many do not."""
    encoded = [encode(tokenizer, row.chat()) for row in read_rows(path)]
    fitting = [example for example in encoded if len(example.token_ids) <= spec.max_length]
    return fitting, len(encoded) - len(fitting)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _columns(examples: Sequence[Encoded]) -> Dataset:
    return Dataset.from_dict(
        {
            "input_ids": [example.token_ids for example in examples],
            "labels": [example.labels for example in examples],
        }
    )


def load_base(spec: Spec) -> Any:
    """The frozen base model, in the precision that the recipe asks for."""
    return AutoModelForCausalLM.from_pretrained(spec.base_model, dtype=_dtype(spec.recipe))


def _dtype(recipe: Recipe) -> torch.dtype:
    if recipe.precision is Precision.AUTO:
        able = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if able else torch.float32
    return torch.bfloat16 if recipe.precision is Precision.BFLOAT16 else torch.float32


def arguments(folder: JobFolder, recipe: Recipe, *, examples: int, held_out: bool) -> SFTConfig:
    """TRL's settings. One pass over data that is laid out already, epochs and order included."""
    steps = math.ceil(math.ceil(examples / recipe.batch_size) / recipe.gradient_accumulation)
    every = recipe.checkpoint_steps or min(
        math.ceil(steps / _CHECKPOINTS_PER_RUN), _MOST_CHECKPOINT_STEPS
    )
    gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder.checkpoints),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},  # tokens and labels are ours
        max_length=None,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size * 2,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        gradient_checkpointing=False,  # time matters more than memory, at the sizes LoRA needs
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=str(recipe.scheduler),
        warmup_steps=int(recipe.warmup_ratio * steps),
        weight_decay=recipe.weight_decay,
        bf16=_dtype(recipe) is torch.bfloat16,
        use_cpu=not gpu,
        seed=recipe.seed,
        logging_steps=max(1, min(10, every)),
        logging_nan_inf_filter=False,  # a loss that is not a number must show
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=gpu,
        prediction_loss_only=True,
        eval_strategy="steps" if held_out else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,  # the best and the last
        load_best_model_at_end=held_out,
        metric_for_best_model="eval_loss" if held_out else None,
        greater_is_better=False if held_out else None,
    )


class AnswerTrainer(SFTTrainer):  # type: ignore[misc]  # TRL is not typed for mypy
    """TRL's trainer, with the loss computed at the answers' positions only.

    On a CPU, TRL's own puts every position through the vocabulary and measures entropies as well:
    the same loss, at 1.7 times the cost for a small model.
    """

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the overridden signature
        num_items_in_batch: Any = None,
    ) -> Any:
        """Mean negative log-likelihood per answer token, in nats."""
        labels = inputs["labels"][:, 1:]
        answers = labels != IGNORED
        columns = answers.any(dim=0).nonzero().squeeze(1)
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            use_cache=False,
            logits_to_keep=columns,
        )
        answers, labels = answers[:, columns], labels[:, columns]
        total = functional.cross_entropy(
            outputs.logits[answers].float(), labels[answers], reduction="sum"
        )
        loss = total / (answers.sum() if num_items_in_batch is None else num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log without TRL's token metrics, which are not computed here."""
        Trainer.log(self, logs, start_time)


# --- 3. What is kept: metrics, probes, the adapter and its manifest ---


def _metrics(trainer: Any, *, examples: int, held_out: int, long: int) -> dict[str, Any]:
    looks = [e["eval_loss"] for e in trainer.state.log_history if "eval_loss" in e]
    losses = [e["loss"] for e in trainer.state.log_history if "loss" in e]
    return {
        "examples": examples,
        "held_out_examples": held_out,
        "examples_too_long": long,
        "steps": trainer.state.global_step,
        "planned_steps": trainer.state.max_steps,
        "best_step": trainer.state.best_global_step if looks else None,
        "held_out_loss": round(min(looks), 5) if looks else None,
        "loss": round(losses[-1], 5) if losses else None,
    }


def _curve(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = {"loss": "loss", "eval_loss": "held_out_loss"}
    return [
        {"step": entry["step"], ours: round(entry[theirs], 5)}
        for entry in history
        for theirs, ours in names.items()
        if theirs in entry
    ]


@torch.no_grad()  # type: ignore[untyped-decorator]
def probes(model: Any, candidates: Sequence[Encoded]) -> list[dict[str, Any]]:
    """Answers by which an engine can be proved to have this adapter on, in float32.

    Of the candidates, those are taken on which adapter and base differ most.
    """
    model.float().eval()
    measured = []
    for example in candidates:
        adapted = _answer_logprobs(model, example)
        with model.disable_adapter():
            bare = _answer_logprobs(model, example)
        distance = sum(abs(a - b) for a, b in zip(adapted, bare, strict=True)) / len(bare)
        probe = {
            "token_ids": example.token_ids,
            "start": example.start,
            "adapter_logprobs": adapted,
            "base_logprobs": bare,
        }
        measured.append((distance, probe))
    measured.sort(key=lambda pair: -pair[0])
    return [probe for _, probe in measured[:_PROBES]]


def _answer_logprobs(model: Any, example: Encoded) -> list[float]:
    ids = torch.tensor([example.token_ids], device=model.device)
    logprobs = model(input_ids=ids, use_cache=False).logits[0, :-1].log_softmax(-1)
    chosen = logprobs.gather(1, ids[0, 1:, None]).squeeze(1)
    return [round(value, 6) for value in chosen[example.start - 1 :].tolist()]


def save_adapter(model: Any, folder: JobFolder, spec: Spec, results: Mapping[str, Any]) -> None:
    """Write weights, configuration and manifest; the adapter's folder appears whole or not."""
    arriving = folder.path / "adapter.arriving"
    model.save_pretrained(arriving)
    (arriving / "README.md").unlink(missing_ok=True)  # the manifest says it all
    config = json.loads((arriving / CONFIG).read_text())
    config["target_modules"] = sorted(config["target_modules"])  # PEFT keeps a set: any order
    config["base_model_name_or_path"] = spec.base_model
    (arriving / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True))
    (arriving / MANIFEST).write_text(json.dumps(_manifest(spec, results), indent=1))
    arriving.rename(folder.adapter)


def _manifest(spec: Spec, results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "assistant": spec.assistant,
        "base_model": spec.base_model,
        "base_hash": spec.base_hash,
        "dataset_id": spec.dataset_id,
        "dataset_hash": spec.dataset_hash,
        "parent": spec.parent,
        "recipe": spec.recipe.model_dump(mode="json"),
        "max_length": spec.max_length,
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "created_at": utc_now().isoformat(),
        **results,
    }


if __name__ == "__main__":
    main()
