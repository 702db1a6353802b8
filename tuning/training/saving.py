"""What a training leaves: the adapter's files, measured as they will be served, and a manifest."""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from records.adapters import CONFIG, MANIFEST
from records.ids import utc_now
from tuning.training import hardware
from tuning.training.chat_tokens import Encoded
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Initialisation
from tuning.training.student import Student

_LIBRARIES = ("torch", "transformers", "peft")
_PROBES = 3


def write_adapter(student: Student, folder: JobFolder, spec: Spec) -> Path:
    """Write weights and configuration; returns the folder, which is not yet the job's adapter.

    PiSSA's numbers presuppose a changed base, so that PEFT writes their difference from the start
    instead: plain LoRA of twice the rank.
    """
    arriving = folder.arriving
    if spec.recipe.initialisation is Initialisation.PISSA:
        _write_converted(student, arriving, initial=folder.initial)
    else:
        student.model.save_pretrained(arriving)
    (arriving / "README.md").unlink(missing_ok=True)  # the manifest says it all
    config = json.loads((arriving / CONFIG).read_text())
    config["target_modules"] = sorted(config["target_modules"])  # PEFT keeps a set: any order
    config["base_model_name_or_path"] = spec.base_model
    (arriving / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True))
    return arriving


def _write_converted(student: Student, target: Path, *, initial: Path) -> None:
    student.model.save_pretrained(target, path_initial_model_for_weight_conversion=str(initial))


def write_initial(student: Student, folder: JobFolder) -> None:
    """Keep a fresh PiSSA adapter, for the conversion at the end."""
    student.model.save_pretrained(folder.initial)


def finish(folder: JobFolder, spec: Spec, results: Mapping[str, Any]) -> None:
    """Add the manifest; the adapter's folder appears whole or not."""
    arriving = folder.arriving
    (arriving / MANIFEST).write_text(json.dumps(_manifest(spec, results), indent=1))
    arriving.rename(folder.adapter)


@torch.no_grad()  # type: ignore[untyped-decorator]
def probes(model: Any, candidates: Sequence[Encoded]) -> list[dict[str, Any]]:
    """Answers by which an engine can be proved to have this adapter on.

    Of the candidates, those are taken on which adapter and base differ most.
    """
    measured = []
    for example in candidates:
        adapted = _answer_logprobs(model, example)
        with model.disable_adapter():
            bare = _answer_logprobs(model, example)
        distance = sum(abs(a - b) for a, b in zip(adapted, bare, strict=True)) / len(bare)
        probe = {
            "example": example.id,  # by which an erasure finds it
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
    logits = model(input_ids=ids, use_cache=False).logits[0, example.start - 1 : -1]
    chosen = logits.float().log_softmax(-1).gather(1, ids[0, example.start :, None]).squeeze(1)
    return [round(value, 6) for value in chosen.tolist()]


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
        "device": hardware.device_name(),
        "created_at": utc_now().isoformat(),
        **results,
    }
