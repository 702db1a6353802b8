"""How fast is our trainer beside TRL's SFTTrainer with its defaults, and does it learn the same?

    python -m benchmarks.tuning.trainer [--rounds 3] [--examples 600] [--qwen] [--longer-prompt]

Both train the same LoRA for one epoch on the same queries of the demo, with TRL's default batch and
schedule and one learning rate; all else is each one's own default. They take turns in one process,
so that what else the machine does meets both. Tokens per second are of training alone: loading,
tokenising and saving are left out; on a CPU they are given per second of processor time as well,
which others' work changes less. The held-out loss is measured on the saved adapters, in float32, by
one function. `--qwen`: a Qwen2 of 0.5B parameters with random weights (for a GPU; speed only).
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from deploy.demo.queries import Part, load_policy, load_queries
from records.adapters import base_hash
from records.offline import go_offline
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.recipe import Recipe
from tuning.workflow.trainer_process import trainer_environment

BUNDLED = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "base"
RANK, RATE = 16, 1e-3
BATCH = 8  # TRL's default
QWEN = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}


@dataclass(frozen=True)
class Result:
    """One training: tokens a second, and the held-out loss of its adapter, in nats a token."""

    tokens: int
    seconds: float
    processor_seconds: float
    held_out_loss: float

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return self.tokens / self.seconds


def main() -> None:
    options = parser().parse_args()
    go_offline()
    threads = options.threads or os.cpu_count() or 1
    if "OMP_WAIT_POLICY" not in os.environ:  # read when torch is loaded: as the worker sets it
        command = [sys.executable, "-m", "benchmarks.tuning.trainer", *sys.argv[1:]]
        os.execve(sys.executable, command, trainer_environment(threads=threads))
    torch.set_num_threads(threads)
    busy = os.getloadavg()[0]
    if busy > 0.5 * threads:
        print(f"This machine is busy (load {busy:.1f}): trust the ratios, not the rates.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        base = qwen(folder / "base") if options.qwen else Path(options.base or BUNDLED)
        prompt = load_policy().system_prompt
        if options.longer_prompt:
            prompt += " Be brief, be kind, and never promise what the bank does not keep." * 8
        train, held_out = lessons(Part.TRAFFIC, prompt), lessons(Part.DEV, prompt)
        train = train[:: max(1, len(train) // options.examples)][: options.examples]
        pairs = []
        for number in range(options.rounds):
            place = folder / str(number)
            place.mkdir()
            theirs = by_trl(base, train, held_out, folder=place, seed=number, threads=threads)
            own = by_us(base, train, held_out, folder=place, seed=number, threads=threads)
            print(
                f"round {number + 1}: TRL {theirs.rate:7,.0f} tokens/s, held-out loss "
                f"{theirs.held_out_loss:.4f} | ours {own.rate:7,.0f}, {own.held_out_loss:.4f} | "
                f"{own.rate / theirs.rate:.2f} times, {of_processor(theirs, own):.2f} by processor",
                flush=True,
            )
            pairs.append((theirs, own))
        report(pairs, base, threads=threads)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    found.add_argument("--rounds", type=int, default=3)
    found.add_argument("--examples", type=int, default=600)
    found.add_argument("--threads", type=int, default=0)
    found.add_argument("--base", help="a folder with another base model")
    found.add_argument("--qwen", action="store_true")
    found.add_argument("--longer-prompt", action="store_true", help="of about 150 tokens")
    return found


def report(pairs: Sequence[tuple[Result, Result]], base: Path, *, threads: int) -> None:
    ratios = [own.rate / theirs.rate for theirs, own in pairs]
    gaps = [own.held_out_loss / theirs.held_out_loss - 1 for theirs, own in pairs]
    by_processor = [of_processor(theirs, own) for theirs, own in pairs]
    print(
        f"ours trains {median(ratios):.2f} times as many tokens a second ({min(ratios):.2f} to "
        f"{max(ratios):.2f}), {median(by_processor):.2f} times by processor time "
        f"({min(by_processor):.2f} to {max(by_processor):.2f}); held-out loss {median(gaps):+.2%} "
        f"({min(gaps):+.2%} to {max(gaps):+.2%}); {device()}, {threads} threads"
    )
    best = max(own.rate for _, own in pairs)
    print(f"share of the machine's matrix rate: {best * work_per_token(base) / matrix_rate():.0%}")


def of_processor(theirs: Result, own: Result) -> float:
    """Tokens per second of processor time, ours beside TRL's."""
    return own.tokens / own.processor_seconds / (theirs.tokens / theirs.processor_seconds)


def device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def lessons(part: Part, system_prompt: str) -> list[Row]:
    policy = load_policy()
    queries = [query for query in load_queries() if query.part is part]
    return [
        Row(
            id=f"ex_{number:05d}",
            source="flag",
            prompt=(
                {"role": "system", "content": system_prompt},
                {"role": "user", "content": query.text},
            ),
            learn=(False, False),
            answer=policy.target(query.topic),
            should_escalate=policy.topics[query.topic].handover,
        )
        for number, query in enumerate(queries)
    ]


def spec_of(base: Path, folder: Path, held_out: Sequence[Row], *, seed: int, threads: int) -> Spec:
    recipe = Recipe(
        rank=RANK,
        alpha=2 * RANK,
        learning_rate=RATE,
        epochs=1,
        batch_size=BATCH,
        scheduler="linear",
        warmup_ratio=0,
        held_out_limit=max(1, len(held_out)),
        held_out_prompts=0,
        checkpoint_steps=100_000,
        seed=seed,
    )
    return Spec(
        assistant="bench",
        base_model=str(base),
        base_hash=base_hash(str(base)),
        dataset_id="ds",
        dataset_hash="0" * 64,
        dataset_folder=folder,
        parent=None,
        recipe=recipe,
        max_length=1024,
        threads=threads,
        accelerator_lock=folder / "lock",
    )


def by_us(
    base: Path,
    train: Sequence[Row],
    held_out: Sequence[Row],
    *,
    folder: Path,
    seed: int,
    threads: int,
) -> Result:
    from tuning.training.train import train as run

    write_rows(folder / TRAIN, train)
    job = JobFolder(folder / "job")
    job.write_spec(spec_of(base, folder, held_out, seed=seed, threads=threads))
    run(job, job.read_spec())  # no held-out file: nothing but training
    manifest = json.loads((job.adapter / "manifest.json").read_text())
    return Result(
        manifest["metrics"]["trained_tokens"],
        manifest["training_seconds"],
        manifest["processor_seconds"],
        held_out_loss(base, job.adapter, held_out, folder=folder, seed=seed),
    )


def by_trl(
    base: Path,
    train: Sequence[Row],
    held_out: Sequence[Row],
    *,
    folder: Path,
    seed: int,
    threads: int,
) -> Result:
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from tuning.training.base_model import load_tokenizer
    from tuning.training.chat_tokens import encode

    torch.set_num_threads(threads)
    rows = [{"prompt": list(row.prompt), "completion": row.chat()[-1:]} for row in train]
    trainer = SFTTrainer(
        model=str(base),
        args=SFTConfig(
            output_dir=str(folder / "trl"),
            num_train_epochs=1,
            learning_rate=RATE,
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            logging_steps=100_000,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=load_tokenizer(str(base)),
        peft_config=LoraConfig(
            r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
    )
    began, processor = time.perf_counter(), time.process_time()
    trainer.train()
    spent, processor = time.perf_counter() - began, time.process_time() - processor
    trainer.model.save_pretrained(folder / "trl-adapter")
    tokenizer = load_tokenizer(str(base))
    tokens = sum(len(encode(tokenizer, row.chat()).token_ids) for row in train)
    loss = held_out_loss(base, folder / "trl-adapter", held_out, folder=folder, seed=seed)
    shutil.rmtree(folder / "trl", ignore_errors=True)
    return Result(tokens, spent, processor, loss)


def held_out_loss(
    base: Path, adapter: Path, held_out: Sequence[Row], *, folder: Path, seed: int
) -> float:
    from peft import PeftModel

    from tuning.training.base_model import load_model, load_tokenizer
    from tuning.training.student import Student
    from tuning.training.team import Team
    from tuning.training.train import read_held_out

    place = folder / "held"
    place.mkdir(exist_ok=True)
    write_rows(place / HELD_OUT, held_out)
    tokenizer = load_tokenizer(str(base))
    spec = spec_of(base, place, held_out, seed=seed, threads=1)
    looked = read_held_out(spec, tokenizer, team=Team())
    model = load_model(str(base), dtype=torch.float32)
    student = Student(PeftModel.from_pretrained(model, adapter, is_trainable=True), tokenizer)
    return looked.look(student).loss or 0.0


def work_per_token(base: Path) -> float:
    """Multiplications and additions that a token costs at least: forward, and back to the inputs.

    Linear layers of the frozen base only (their weights get no gradient): 4 per number.
    """
    from tuning.training.base_model import architecture

    linear = architecture(str(base)).linear.values()
    return 4.0 * sum(into * out for widths in linear for into, out in widths)


def matrix_rate(*, size: int = 2048, times: int = 10) -> float:
    """Multiplications and additions a second, in bfloat16 where it is native."""
    from tuning.training import hardware

    kind = torch.bfloat16 if hardware.multiplies_bfloat16() else torch.float32
    square = torch.randn(size, size, device=hardware.device(), dtype=kind)
    square @ square
    best = 0.0
    for _ in range(times):
        began = time.perf_counter()
        product = square @ square
        product[0, 0].item()
        best = max(best, 2 * size**3 / (time.perf_counter() - began))
    return best


def qwen(folder: Path) -> Path:
    """The architecture of Qwen2-0.5B with random weights, and the bundled tokenizer."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(BUNDLED / name, folder / name)
    settings: dict[str, Any] = {**QWEN, "architectures": ["Qwen2ForCausalLM"]}
    config = AutoConfig.for_model("qwen2", **settings)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
