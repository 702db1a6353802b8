"""How adapters do on what no recipe was chosen by: `python -m tuning.search.second_look FOLDER`.

A child process, as trainings are: torch's memory goes with it. FOLDER holds `second_look.in.json`;
`second_look.out.json` appears whole.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from records.errors import TrainingFailed
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, Spec

_IN, _OUT = "second_look.in.json", "second_look.out.json"
_MOST_PROMPTS = 400
_LOOK_SECONDS = 0.25


def look_again(
    adapters: Mapping[str, Path],
    rows: Path,
    *,
    folder: JobFolder,
    spec: Spec,
    check: Callable[[], None],
    environment: Mapping[str, str],
    nice: int = 0,
) -> dict[str, Any]:
    """For each adapter by its name, `quality` (0..1), `held_out_loss` and `prompts`.

    `check` is called a few times a second; what it raises ends the child first.

    Raises:
        TrainingFailed: the child ended without a result.
    """
    out = folder.path / _OUT
    out.unlink(missing_ok=True)
    wanted = {
        "spec": spec.model_dump(mode="json"),
        "rows": str(rows),
        "adapters": {name: str(path) for name, path in adapters.items()},
    }
    (folder.path / _IN).write_text(json.dumps(wanted))
    command = [sys.executable, "-m", __name__, str(folder.path), END_WITH_STDIN]
    with (
        folder.log.open("ab") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        ) as process,
    ):
        with contextlib.suppress(OSError):  # it has ended already, or we are lower ourselves
            os.setpriority(os.PRIO_PROCESS, process.pid, nice)
        try:
            while process.poll() is None:
                check()
                time.sleep(_LOOK_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
    if not out.exists():
        raise TrainingFailed(
            f"The chosen adapter could not be looked at once more; the reason is in {folder.log}."
        )
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def main() -> None:
    """Measure what the folder asks for."""
    from records.offline import go_offline
    from tuning.training.locks import exclusive

    go_offline()
    if END_WITH_STDIN in sys.argv[2:]:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    folder = Path(sys.argv[1])
    wanted = json.loads((folder / _IN).read_text())
    spec = Spec.model_validate(wanted["spec"])
    with exclusive(spec.accelerator_lock):
        found = measure(spec, Path(wanted["rows"]), wanted["adapters"])
    arriving = (folder / _OUT).with_suffix(".arriving")
    arriving.write_text(json.dumps(found))
    arriving.rename(folder / _OUT)


def _end_with_stdin() -> None:
    os.read(0, 1)
    os._exit(1)


def measure(spec: Spec, rows: Path, adapters: Mapping[str, str]) -> dict[str, Any]:
    """Look at each adapter on the whole base, as it will be served."""
    import torch
    from peft import PeftModel

    from tuning.training.base_model import load_model, load_tokenizer
    from tuning.training.hardware import precision
    from tuning.training.marking import Marking
    from tuning.training.student import Student

    torch.set_num_threads(spec.threads)
    tokenizer = load_tokenizer(spec.base_model)
    held_out = _held_out(spec, rows, tokenizer, Marking(spec.marker, spec.right_answer_f1))
    found = {}
    for name, adapter in adapters.items():
        base = load_model(spec.base_model, dtype=precision(spec.recipe))
        student = Student(PeftModel.from_pretrained(base, adapter, is_trainable=True), tokenizer)
        look = held_out.look(student)
        found[name] = {
            "quality": look.quality,
            "held_out_loss": None if look.loss is None else round(look.loss, 5),
            "prompts": len(held_out.prompts),
        }
        del base, student
    return found


def _held_out(spec: Spec, rows: Path, tokenizer: Any, marking: Any) -> Any:
    from tuning.dataset.rows import read_rows
    from tuning.training import lessons
    from tuning.training.held_out import HeldOut, sample

    known = list(read_rows(rows))
    answers, _ = lessons.fitting(lessons.answers(known, tokenizer), longest=spec.max_length)
    prompts, _ = lessons.fitting(lessons.prompts(known, tokenizer), longest=spec.max_length)
    seed = spec.recipe.seed
    return HeldOut(
        answers=sample(answers, _MOST_PROMPTS, seed=seed),
        prompts=sample(prompts, _MOST_PROMPTS, seed=seed),
        marking=marking,
        most_tokens=max((one.learned for one in answers), default=0) + 8,
    )


if __name__ == "__main__":
    main()
