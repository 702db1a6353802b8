"""Real training: repeatable, resumable, loss where it belongs, errors that say what to do."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from records.adapters import adapter_name, base_hash, read_manifest
from records.errors import StorageFull
from tests.tuning.build import BASE, lessons
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, Spec
from tuning.training.recipe import Recipe
from tuning.workflow.trainer_process import trainer_environment

pytestmark = pytest.mark.alone

SYSTEM = {"role": "system", "content": "You answer customers of Alder Bank."}


def job(folder: Path, *, examples: int = 48, **recipe: Any) -> JobFolder:
    dataset = folder / "dataset"
    dataset.mkdir(parents=True)
    rows = [
        Row(
            id=f"ex_{number:05d}",
            source="flag",
            prompt=(SYSTEM, {"role": "user", "content": asked}),
            learn=(False, False),
            answer=answer,
        )
        for number, (asked, answer) in enumerate(lessons(examples + 8))
    ]
    write_rows(dataset / TRAIN, rows[:examples])
    write_rows(dataset / HELD_OUT, rows[examples:])
    made = JobFolder(folder / "job")
    made.write_spec(
        Spec(
            assistant="support",
            base_model=str(BASE),
            base_hash=base_hash(str(BASE)),
            dataset_id="ds-1",
            dataset_hash="0" * 64,
            dataset_folder=dataset,
            parent="support-base",
            recipe=Recipe(**{"epochs": 2, "batch_size": 8, "rank": 4, **recipe}),
            max_length=200,
            threads=2,
            accelerator_lock=folder / "accelerator.lock",
        )
    )
    return made


def start(made: JobFolder, **options: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tuning.training.train", str(made.path), END_WITH_STDIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=trainer_environment(threads=2),
        **options,
    )


def finish(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdin is not None
    code = process.wait(240)
    process.stdin.close()
    return code


def step_reached(made: JobFolder, process: "subprocess.Popen[bytes]") -> None:
    """Wait for the first whole checkpoint."""
    deadline = time.monotonic() + 120
    while not list(made.checkpoints.glob("checkpoint-*/complete")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_same_run_gives_the_same_adapter_also_after_kill_9(tmp_path: Path) -> None:
    whole, cut = (job(tmp_path / n, checkpoint_steps=2) for n in ("whole", "cut"))
    assert finish(start(whole)) == 0
    first = start(cut)
    step_reached(cut, first)
    first.send_signal(signal.SIGKILL)
    finish(first)
    assert finish(start(cut)) == 0
    resumed = [line["resumed_at"] for line in cut.read_progress()[0] if "resumed_at" in line]
    assert len(resumed) == 1
    assert 2 <= resumed[0] < 12
    names = {adapter_name("support", made.adapter) for made in (whole, cut)}
    assert len(names) == 1
    manifest = read_manifest(cut.adapter)
    assert manifest["metrics"]["examples"] == 48
    assert manifest["recipe"]["rank"] == 4
    assert len(manifest["dataset_hash"]) == 64
    assert {"torch", "peft", "trl", "transformers"} <= manifest["libraries"].keys()
    losses = [e["held_out_loss"] for e in manifest["loss_curve"] if "held_out_loss" in e]
    assert losses[-1] < losses[0]
    assert not cut.checkpoints.exists()


def test_probes_are_what_a_freshly_loaded_adapter_says(tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    made = job(tmp_path)
    assert finish(start(made)) == 0
    base = AutoModelForCausalLM.from_pretrained(str(BASE), dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(made.adapter)).eval()
    for probe in read_manifest(made.adapter)["probes"]:
        ids = torch.tensor([probe["token_ids"]])
        with torch.no_grad():
            logprobs = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        found = logprobs.gather(1, ids[0, 1:, None]).squeeze(1)[probe["start"] - 1 :]
        assert found.tolist() == pytest.approx(probe["adapter_logprobs"], abs=1e-4)
        assert found.tolist() != pytest.approx(probe["base_logprobs"], abs=0.05)


def test_prompts_carry_no_loss_and_answers_carry_all_of_it(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from tuning.training.base_model import load_tokenizer
    from tuning.training.train import AnswerTrainer, arguments, read_examples

    made = job(tmp_path, examples=8)
    spec = made.read_spec()
    tokenizer = load_tokenizer(str(BASE))
    examples, _ = read_examples(spec.dataset_folder / TRAIN, tokenizer, spec=spec)
    from datasets import Dataset

    columns = Dataset.from_dict(
        {
            "input_ids": [e.token_ids for e in examples],
            "labels": [e.labels for e in examples],
        }
    )
    base = AutoModelForCausalLM.from_pretrained(str(BASE), dtype=torch.float32).eval()
    trainer = AnswerTrainer(
        model=base,
        args=arguments(made, spec.recipe, examples=8, held_out=False),
        train_dataset=columns,
        processing_class=tokenizer,
    )
    batch = trainer.data_collator([columns[i] for i in range(8)])
    with torch.no_grad():
        loss = float(trainer.compute_loss(base, batch))
        answers: list[float] = []
        for example in examples:
            ids = torch.tensor([example.token_ids])
            logprobs = base(input_ids=ids).logits[0, :-1].log_softmax(-1)
            all_of_it = logprobs.gather(1, ids[0, 1:, None]).squeeze(1)
            answers += all_of_it[example.start - 1 :].tolist()
    assert loss == pytest.approx(-sum(answers) / len(answers), rel=1e-4)


def test_a_full_disk_is_a_sentence_and_leaves_no_adapter(tmp_path: Path) -> None:
    made = job(tmp_path, examples=16)
    limit = 100_000  # bytes a file: less than the adapter, more than a line

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    assert finish(start(made, preexec_fn=small_files)) == 1
    error = made.read_error(exit_code=1)
    assert isinstance(error, StorageFull)
    assert "UNDERSTUDY_HOME" in str(error)
    assert not made.adapter.exists()


def test_a_trainer_ends_with_its_worker(tmp_path: Path) -> None:
    made = job(tmp_path, epochs=50, checkpoint_steps=2)
    process = start(made)
    try:
        step_reached(made, process)
        assert process.stdin is not None
        process.stdin.close()  # as the kernel does when the worker is killed
        assert process.wait(5) == 1
    finally:
        process.kill()


def test_a_loss_that_is_no_number_ends_the_run_with_advice(tmp_path: Path) -> None:
    from records.errors import TrainingFailed
    from tuning.training.news import News

    made = job(tmp_path, examples=8)
    news = News(made, tokens=[5], recipe=Recipe())
    state = type("State", (), {"global_step": 3})()
    with pytest.raises(TrainingFailed, match="lower learning_rate"):
        news.on_log(None, state, None, logs={"loss": float("nan")})
