"""Real training: repeatable, resumable, loss where it belongs, errors that say what to do."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from records.adapters import Limits, adapter_name, base_hash, check_servable, read_manifest
from records.errors import AdapterUnservable, ConfigurationError, StorageFull, TrainingFailed
from tests.tuning.build import BASE, lessons
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, Spec
from tuning.training.recipe import Recipe
from tuning.workflow.trainer_process import trainer_environment

pytestmark = pytest.mark.alone

SYSTEM = {"role": "system", "content": "You answer customers of Alder Bank."}
WRONG = "I do not know that."


def rows(count: int) -> list[Row]:
    """Lessons, each with a wrong answer as well."""
    return [
        Row(
            id=f"ex_{number:05d}",
            source="flag",
            prompt=(SYSTEM, {"role": "user", "content": asked}),
            learn=(False, False),
            answer=answer,
            rejected=WRONG,
        )
        for number, (asked, answer) in enumerate(lessons(count))
    ]


def job(
    folder: Path,
    *,
    examples: int = 48,
    train: Sequence[Row] | None = None,
    start_adapter: Path | None = None,
    threads: int = 1,
    **recipe: Any,
) -> JobFolder:
    dataset = folder / "dataset"
    dataset.mkdir(parents=True)
    made_of = rows(examples + 8)
    write_rows(dataset / TRAIN, made_of[:examples] if train is None else train)
    write_rows(dataset / HELD_OUT, made_of[examples:])
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
            recipe=Recipe(
                **{"epochs": 2, "batch_size": 8, "rank": 4, "held_out_prompts": 4, **recipe}
            ),
            max_length=200,
            threads=threads,
            accelerator_lock=folder / "accelerator.lock",
            start_adapter=start_adapter,
        )
    )
    return made


def start(made: JobFolder, **options: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tuning.training.train", str(made.path), END_WITH_STDIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=trainer_environment(threads=made.read_spec().threads),
        **options,
    )


def finish(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdin is not None
    code = process.wait(240)
    process.stdin.close()
    return code


def step_reached(made: JobFolder, process: "subprocess.Popen[bytes]", *, step: int = 1) -> None:
    """Wait for a whole checkpoint of this step or a later one."""
    deadline = time.monotonic() + 120
    while not any(
        int(note.parent.name.split("-")[1]) >= step
        for note in made.checkpoints.glob("checkpoint-*/complete")
    ):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def trained(made: JobFolder) -> dict[str, Any]:
    """Train in this process; the adapter can be served, and its manifest is returned."""
    from tuning.training.train import train

    train(made, made.read_spec())
    check_servable(
        made.adapter,
        base_model=str(BASE),
        base_hash=base_hash(str(BASE)),
        limits=Limits(max_rank=8),
    )
    return read_manifest(made.adapter)


@pytest.mark.parametrize(
    ("method", "first_step"), [("sft", 2), ("sft_dpo", 14)], ids=["sft", "in the pairs of sft_dpo"]
)
def test_the_same_run_gives_the_same_adapter_also_after_kill_9(
    tmp_path: Path, method: str, first_step: int
) -> None:
    settings = {"checkpoint_steps": 2, "method": method, "dropout": 0.05, "threads": 2}
    whole, cut = (job(tmp_path / name, **settings) for name in ("whole", "cut"))
    assert finish(start(whole)) == 0
    first = start(cut)
    step_reached(cut, first, step=first_step)
    first.send_signal(signal.SIGKILL)
    finish(first)
    assert finish(start(cut)) == 0
    resumed = [line["resumed_at"] for line in cut.read_progress()[0] if "resumed_at" in line]
    manifest = read_manifest(cut.adapter)
    assert len(resumed) == 1
    assert first_step <= resumed[0] <= manifest["metrics"]["planned_steps"]
    assert len({adapter_name("support", made.adapter) for made in (whole, cut)}) == 1
    assert manifest["metrics"]["lessons"]["right answers"] == 48
    assert manifest["recipe"]["rank"] == 4
    assert len(manifest["dataset_hash"]) == 64
    assert {"torch", "peft", "transformers"} <= manifest["libraries"].keys()
    losses = [e["held_out_loss"] for e in manifest["loss_curve"] if "held_out_loss" in e]
    assert losses[-1] < losses[0]
    assert not cut.checkpoints.exists()


def test_a_damaged_checkpoint_costs_some_steps_and_changes_nothing(tmp_path: Path) -> None:
    whole, cut = (job(tmp_path / name, checkpoint_steps=2) for name in ("whole", "cut"))
    trained(whole)
    first = start(cut)
    step_reached(cut, first, step=4)
    first.send_signal(signal.SIGKILL)
    finish(first)
    newest = cut.last_checkpoint()
    assert newest is not None
    state = newest / "state.pt"
    state.write_bytes(state.read_bytes()[:-100] + b"\0" * 100)
    trained(cut)
    assert len({adapter_name("support", made.adapter) for made in (whole, cut)}) == 1


def test_probes_are_what_a_freshly_loaded_adapter_says(tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    made = job(tmp_path)
    manifest = trained(made)
    base = AutoModelForCausalLM.from_pretrained(str(BASE), dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(made.adapter)).eval()
    for probe in manifest["probes"]:
        ids = torch.tensor([probe["token_ids"]])
        with torch.no_grad():
            logprobs = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        found = logprobs.gather(1, ids[0, 1:, None]).squeeze(1)[probe["start"] - 1 :]
        assert found.tolist() == pytest.approx(probe["adapter_logprobs"], abs=1e-4)
        assert found.tolist() != pytest.approx(probe["base_logprobs"], abs=0.05)


@pytest.mark.parametrize("rslora", [False, True])
def test_pissa_becomes_plain_lora_of_twice_the_rank_that_says_the_same(
    tmp_path: Path, rslora: bool
) -> None:
    made = job(
        tmp_path,
        initialisation="pissa",
        use_rslora=rslora,
        precision="float32",
        learning_rate=1e-3,
    )
    manifest = trained(made)
    config = json.loads((made.adapter / "adapter_config.json").read_text())
    assert (config["r"], config["init_lora_weights"]) == (8, True)
    looks = [e["held_out_loss"] for e in manifest["loss_curve"] if "held_out_loss" in e]
    served = manifest["metrics"]["held_out_loss"]  # measured on the files, on the whole base
    assert served == pytest.approx(min(looks), abs=1e-3)
    assert served < looks[0]


def test_a_champion_is_gone_on_from_where_the_recipe_describes_it(tmp_path: Path) -> None:
    champion = job(tmp_path / "champion")
    first = trained(champion)
    again = job(tmp_path / "again", start_adapter=champion.adapter, start_from="champion")
    second = trained(again)
    before = second["metrics"]["held_out_loss_before"]
    assert before == pytest.approx(first["metrics"]["held_out_loss"], rel=0.01)
    assert second["metrics"]["held_out_loss"] < before
    other = {"rank": 8, "alpha": 16.0, "start_from": "champion"}
    unlike = job(tmp_path / "unlike", start_adapter=champion.adapter, **other)
    with pytest.raises(AdapterUnservable, match="which has rank: 4, alpha: 32"):
        trained(unlike)
    layers = {"target_modules": ("q_proj",), "start_from": "champion"}
    unlike = job(tmp_path / "layers", start_adapter=champion.adapter, **layers)
    with pytest.raises(AdapterUnservable, match="on the layers down_proj"):
        trained(unlike)


def test_pairs_teach_to_prefer_the_right_answer(tmp_path: Path) -> None:
    made = job(
        tmp_path, method="dpo", preference_learning_rate=1e-3, preference_epochs=2, judge="auto"
    )
    manifest = trained(made)
    won = [e["pairs_won"] for e in manifest["loss_curve"] if "pairs_won" in e]
    assert won[-1] > 0.9
    assert manifest["metrics"]["lessons"] == {"pairs of a right and a wrong answer": 48}


def test_judged_answers_alone_teach_something(tmp_path: Path) -> None:
    alone = [
        replace(row, rejected=None) if at % 3 else replace(row, answer=None)
        for at, row in enumerate(rows(48))
    ]
    manifest = trained(job(tmp_path, train=alone, method="kto", preference_learning_rate=1e-3))
    assert manifest["metrics"]["lessons"]["judged answers"] == 48
    before = manifest["metrics"]["held_out_loss_before"]
    assert manifest["metrics"]["held_out_loss"] < before


def test_documents_come_before_answers(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from tuning.dataset import documents

    made = job(tmp_path, method="documents", epochs=1)
    table = [
        {"id": "doc_1", "name": "a.md", "title": "A", "text": "A card costs 5 euros. " * 80}
        | {"licence": None}
    ]
    pq.write_table(
        documents.pa.Table.from_pylist(table, schema=documents.SCHEMA),
        made.read_spec().dataset_folder / "documents.parquet",
    )
    manifest = trained(made)
    assert list(dict.fromkeys(e["phase"] for e in manifest["loss_curve"])) == [
        "documents",
        "answers",
    ]
    assert manifest["metrics"]["lessons"]["documents"] >= 3


def test_its_own_answers_earn_more_reward_as_it_trains(tmp_path: Path) -> None:
    same = [replace(row, answer="There is no fee for that.") for row in rows(32)]
    champion = job(tmp_path / "champion", train=same, epochs=3, learning_rate=2e-3)
    trained(champion)
    settings = {
        "grpo_steps": 8,
        "grpo_prompts": 6,
        "grpo_group": 8,
        "preference_learning_rate": 2e-3,
        "scheduler": "constant_with_warmup",
        "start_from": "champion",
        "checkpoint_steps": 4,
    }
    made = job(
        tmp_path / "own", train=same, start_adapter=champion.adapter, method="grpo", **settings
    )
    rewards = [e["reward"] for e in trained(made)["loss_curve"] if "reward" in e]
    assert rewards[-1] > rewards[0] + 0.1


def test_all_answers_of_a_talk_are_learned_and_shown(tmp_path: Path) -> None:
    talk = [
        replace(
            row,
            prompt=(
                *row.prompt,
                {"role": "assistant", "content": "Which one do you mean?"},
                {"role": "user", "content": "The blue one."},
            ),
            learn=(False, False, True, False),
        )
        for row in rows(16)
    ]
    shown = trained(job(tmp_path, train=talk, epochs=1))["mask"]
    assert len(shown) == 3
    assert all(one["text"].count("⟦") == 2 for one in shown)
    assert "⟦Which one do you mean?" in shown[0]["text"]
    assert "⟦The blue one" not in shown[0]["text"]


def test_the_best_adapter_is_kept_and_training_ends_when_nothing_gets_better(
    tmp_path: Path,
) -> None:
    manifest = trained(
        job(
            tmp_path,
            epochs=60,
            learning_rate=0.05,
            checkpoint_steps=4,
            early_stopping_patience=2,
            precision="float32",
        )
    )
    metrics = manifest["metrics"]
    looks = {e["step"]: e["held_out_loss"] for e in manifest["loss_curve"] if "held_out_loss" in e}
    assert metrics["steps"] < metrics["planned_steps"]
    best = min((loss, step) for step, loss in looks.items() if step)
    assert (metrics["held_out_loss"], metrics["best_step"]) == (
        pytest.approx(best[0], abs=1e-3),
        best[1],
    )


def test_short_memory_halves_what_goes_at_once_and_changes_nothing(tmp_path: Path) -> None:
    import torch

    from tests.tuning.training.students import rows as tiny_rows
    from tests.tuning.training.students import student, tokenizer
    from tuning.training.checkpoint import State
    from tuning.training.lessons import answers
    from tuning.training.methods.answers import Answers
    from tuning.training.step import gradients
    from tuning.training.team import Team

    class Short(Answers):
        """Memory holds three lessons at once."""

        def loss(self, student: Any, items: Sequence[Any]) -> Any:
            if len(items) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().loss(student, items)

    one = student()
    found = list(answers(tiny_rows(8), tokenizer()))
    nothing: Any = None
    slopes = []
    for kind in (Answers, Short):
        phase = kind("answers", found, [list(range(8))], 1e-3)
        items = phase.items(0, one, Team())
        state = State(values=nothing, start=nothing, at_once=8)
        one.flat.gradient.zero_()
        loss = gradients(one, phase, state, items, size=sum(i.size for i in items))
        slopes.append((loss, one.flat.gradient.clone(), state.at_once))
    (loss, slope, at_once), (short_loss, short_slope, short_at_once) = slopes
    assert (at_once, short_at_once) == (8, 2)
    torch.testing.assert_close(short_loss, loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(short_slope, slope, rtol=1e-3, atol=1e-5)


def test_without_memory_for_one_example_activations_are_computed_twice_and_then_it_is_said() -> (
    None
):
    from tests.tuning.training.students import student
    from tuning.training.checkpoint import State
    from tuning.training.step import take_less

    nothing: Any = None
    one, state = student(), State(values=nothing, start=nothing, at_once=1)
    take_less(one, state, "out of memory")
    assert state.checkpointing
    with pytest.raises(TrainingFailed, match="lower max_length"):
        take_less(one, state, "out of memory")


def test_two_trainers_together_make_the_adapter_of_one(tmp_path: Path) -> None:
    alone = trained(job(tmp_path / "alone", precision="float32"))
    made = job(tmp_path / "together", precision="float32")
    code = (
        "import sys, torch.distributed as d\n"
        "from pathlib import Path\n"
        "from tuning.training.job_folder import JobFolder\n"
        "from tuning.training.train import train\n"
        f"d.init_process_group('gloo', init_method='file://{tmp_path}/meet', "
        "rank=int(sys.argv[1]), world_size=2)\n"
        f"folder = JobFolder(Path('{made.path}'))\n"
        "train(folder, folder.read_spec())\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(rank)], env=trainer_environment(threads=1)
        )
        for rank in range(2)
    ]
    assert [process.wait(240) for process in both] == [0, 0]
    together = read_manifest(made.adapter)
    assert together["metrics"]["trained_tokens"] == alone["metrics"]["trained_tokens"]
    assert together["metrics"]["held_out_loss"] == pytest.approx(
        alone["metrics"]["held_out_loss"], rel=1e-3
    )


def test_a_method_without_its_data_is_a_sentence(tmp_path: Path) -> None:
    bare = [replace(row, rejected=None) for row in rows(8)]
    with pytest.raises(TrainingFailed, match="method: dpo trains on pairs"):
        trained(job(tmp_path / "dpo", train=bare, method="dpo"))
    with pytest.raises(TrainingFailed, match="method: documents trains on documents"):
        trained(job(tmp_path / "documents", method="documents"))


def test_four_bits_without_cuda_is_a_sentence(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ConfigurationError, match="needs a CUDA GPU"):
        trained(job(tmp_path, quantise=True))


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
    import torch

    from tuning.training.checkpoint import State
    from tuning.training.train import tell_loss

    nothing: Any = None
    state = State(values=nothing, start=nothing, step=3, loss_steps=1)
    with pytest.raises(TrainingFailed, match="nan at step 3: lower the recipe's learning rate"):
        tell_loss(nothing, nothing, state, torch.tensor(float("nan")))
