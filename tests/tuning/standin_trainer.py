"""A trainer in a tenth of a second: python standin_trainer.py JOB_FOLDER --end-with-stdin

It writes what the real one writes, with probes that `ProvingEngine` measures. MODE in the
environment makes it fail, be killed, or wait for ever.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from records.errors import StorageFull
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.locks import exclusive


def end_with_stdin() -> None:
    os.read(0, 1)
    os._exit(1)


def main() -> None:
    threading.Thread(target=end_with_stdin, daemon=True).start()
    folder = JobFolder(Path(sys.argv[1]))
    spec = folder.read_spec()
    (folder.path / "trainer.pid").write_text(str(os.getpid()))
    folder.append_progress({"stage": "waiting for the accelerator"})
    with exclusive(spec.accelerator_lock):
        train(folder, spec)


def train(folder: JobFolder, spec: Spec) -> None:
    folder.append_progress({"stage": "training", "step": 1, "steps": 2, "loss": 3.5})
    fail(folder, os.environ.get("MODE", ""))
    arriving = folder.path / "adapter.arriving"
    arriving.mkdir(exist_ok=True)
    key = "base_model.model.model.layers.0.self_attn.q_proj"
    shapes = {"A": (4, 256), "B": (256, 4)}
    save_file(
        {f"{key}.lora_{s}.weight": np.ones(shape, np.float32) for s, shape in shapes.items()},
        arriving / "adapter_model.safetensors",
    )
    config = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": spec.base_model}
    (arriving / "adapter_config.json").write_text(json.dumps(config))
    probe = {"token_ids": [5, 6, 7], "start": 1, "adapter_logprobs": [-1.0, -2.0]}
    manifest = {
        **spec.model_dump(mode="json", include={"base_model", "base_hash", "dataset_id", "parent"}),
        "recipe": spec.recipe.model_dump(mode="json"),
        "probes": [{**probe, "base_logprobs": [-3.0, -4.0]}],
    }
    (arriving / "manifest.json").write_text(json.dumps(manifest))
    arriving.rename(folder.adapter)


def fail(folder: JobFolder, mode: str) -> None:
    if mode == "wait":
        time.sleep(60)
    if mode == "crash":
        sys.exit("the trainer's last words")
    if mode == "killed once" and not (folder.path / "killed").exists():
        (folder.path / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "full":
        folder.write_error(StorageFull("No space is left for training."))
        sys.exit(1)


if __name__ == "__main__":
    main()
