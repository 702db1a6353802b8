"""Which way of training pays on the demo's data? A mean of several seeds for each way.

    python -m benchmarks.tuning.methods [--corrections 800] [--seeds 3] [--only "with replay"]

Each seed draws other customers from the demo's traffic, lets the bundled base answer them, and
makes of its wrong answers corrections and of its right ones replay. Each way trains on these with
the demo's recipe, but for what it is named after. What is measured: the demo's `dev` queries,
which train nothing, answered greedily in this process.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
import yaml

from deploy.demo.queries import ASSISTANT, Group, Part, Policy, Query, load_policy, load_queries
from records.adapters import base_hash
from records.offline import go_offline
from tuning.dataset.rows import HELD_OUT, TRAIN, Row, write_rows
from tuning.training.base_model import load_model, load_tokenizer
from tuning.training.chat_tokens import encode_prompt
from tuning.training.generation import generate
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.marking import Marking
from tuning.training.recipe import Recipe
from tuning.training.student import Student
from tuning.training.train import train

BASE = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "base"
ANSWER_TOKENS = 96
ASKED_AT_ONCE = 512
HELD_OUT_SHARE = 0.05
STUDENT_T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""Two-sided 95 % quantiles of Student's t with one degree of freedom less than seeds."""


@dataclass(frozen=True)
class Data:
    """What a seed's customers led to."""

    corrections: Sequence[Row]
    accepted: Sequence[Row]


@dataclass(frozen=True)
class Way:
    """A way of training: its rows, and what it changes of the demo's recipe."""

    name: str
    rows: Callable[[Data, int], Sequence[Row]]
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """Shares of customers served right, by knowledge of the base, and F1 of handing over."""

    new: float
    known: float
    all: float
    escalation_f1: float
    minutes: float


def everything(data: Data, _seed: int) -> Sequence[Row]:
    """Corrections and as many accepted answers as there are."""
    return [*data.corrections, *data.accepted]


def corrections_alone(data: Data, _seed: int) -> Sequence[Row]:
    return data.corrections


def augmented(data: Data, seed: int) -> Sequence[Row]:
    """Everything, and one other wording of each corrected question, by rules."""
    from tuning.augmentation.rules import wordings

    more = [
        replace(
            row,
            id=f"{row.id}~1",
            synthetic_of=row.id,
            prompt=(*row.prompt[:-1], {"role": "user", "content": asked}),
        )
        for row in data.corrections
        for asked in wordings(row.prompt[-1]["content"], 1, seed=f"{seed} {row.id}")
    ]
    return [*data.corrections, *more, *data.accepted]


WAYS = (
    Way("naive SFT", corrections_alone, {}),
    Way("with replay", everything, {}),
    Way("SFT, then DPO", everything, {"method": "sft_dpo"}),
    Way("with augmentation", augmented, {}),
    Way("half the learning rate", everything, {"learning_rate": 0.001}),
    Way("rank 16", everything, {"rank": 16, "alpha": 32}),
    Way("PiSSA, rank 16", everything, {"rank": 16, "alpha": 16, "initialisation": "pissa"}),
    Way("rsLoRA", everything, {"use_rslora": True, "alpha": 11.3}),
    Way("dropout 0.05", everything, {"dropout": 0.05}),
)


def main() -> None:
    options = parser().parse_args()
    go_offline()
    torch.set_num_threads(os.cpu_count() or 1)
    wanted = [way for way in WAYS if not options.only or way.name in options.only.split(",")]
    policy, queries = load_policy(), load_queries()
    dev = [query for query in queries if query.part is Part.DEV]
    found: dict[str, list[Found]] = {"base": []}
    base = Judge(policy)
    print(f"{len(dev)} dev queries; {options.corrections} corrections; {options.seeds} seeds")
    found["base"].append(base.judge(dev, None, minutes=0))
    show("base", found["base"])
    traffic = [query for query in queries if query.part is Part.TRAFFIC]
    for seed in range(options.seeds):
        data = customers(base, traffic, seed=seed, corrections=options.corrections)
        for way in wanted:
            with tempfile.TemporaryDirectory() as scratch:
                began = time.perf_counter()
                adapter = run(way, data, seed=seed, folder=Path(scratch))
                spent = (time.perf_counter() - began) / 60
                found.setdefault(way.name, []).append(base.judge(dev, adapter, minutes=spent))
            print(f"seed {seed}:", end=" ")
            show(way.name, found[way.name][-1:])
    print("\nmeans, with 95 % intervals of the mean over seeds (Student's t), in %")
    for name, results in found.items():
        show(name, results)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    found.add_argument("--corrections", type=int, default=800)
    found.add_argument("--seeds", type=int, default=3)
    found.add_argument("--only", default="", help="names of ways, separated by commas")
    return found


def show(name: str, results: Sequence[Found]) -> None:
    def figure(values: Sequence[float]) -> str:
        if len(values) < 2:
            return f"{100 * values[0]:5.1f}          "
        half = STUDENT_T[len(values)] * stdev(values) / len(values) ** 0.5
        return f"{100 * mean(values):5.1f} ± {100 * half:4.1f}   "

    print(
        f"{name:24} new {figure([r.new for r in results])}"
        f"known {figure([r.known for r in results])}"
        f"all {figure([r.all for r in results])}"
        f"escalation F1 {figure([r.escalation_f1 for r in results])}"
        f"{mean(r.minutes for r in results):.1f} min",
        flush=True,
    )


class Judge:
    """Answers queries with the base or an adapter, and says who would be served right."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.tokenizer = load_tokenizer(str(BASE))
        self.marking = Marking(policy.handoff_marker, 0.8)
        self._of_base: dict[str, str] = {}

    def base_answers(self, queries: Sequence[Query]) -> list[str]:
        """What the bare base says; each query is asked once, whatever the seed."""
        new = [query for query in queries if query.text not in self._of_base]
        said = self.answers(new, None) if new else []
        self._of_base |= {query.text: text for query, text in zip(new, said, strict=True)}
        return [self._of_base[query.text] for query in queries]

    def answers(self, queries: Sequence[Query], adapter: Path | None) -> list[str]:
        """What is said to each query, greedily; with the bare base where no adapter is given."""
        from peft import LoraConfig, PeftModel, get_peft_model

        model = load_model(str(BASE), dtype=torch.float32)
        if adapter is None:
            model = get_peft_model(model, LoraConfig(target_modules="all-linear", r=1))
        else:
            model = PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
        prompts = [
            encode_prompt(self.tokenizer, row_of(query, self.policy).prompt) for query in queries
        ]
        written = generate(Student(model, self.tokenizer), prompts, most_tokens=ANSWER_TOKENS)
        return [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in written]

    def judge(self, queries: Sequence[Query], adapter: Path | None, *, minutes: float) -> Found:
        """Who is served right; `minutes` are only passed on."""
        right: dict[Group, list[float]] = {group: [] for group in Group}
        asked = needed = both = 0
        for query, said in zip(queries, self.answers(queries, adapter), strict=True):
            topic = self.policy.topics[query.topic]
            right[topic.group].append(self.marking.served_right(row_of(query, self.policy), said))
            handed = said.startswith(self.policy.handoff_marker)
            asked, needed = asked + handed, needed + topic.handover
            both += handed and topic.handover
        return Found(
            new=mean(right[Group.NEW]),
            known=mean(right[Group.KNOWN]),
            all=mean([*right[Group.NEW], *right[Group.KNOWN]]),
            escalation_f1=2 * both / (asked + needed) if asked + needed else 1.0,
            minutes=minutes,
        )


def row_of(query: Query, policy: Policy) -> Row:
    return Row(
        id=query.text,
        source="flag",
        prompt=(
            {"role": "system", "content": policy.system_prompt},
            {"role": "user", "content": query.text},
        ),
        learn=(False, False),
        answer=policy.target(query.topic),
        should_escalate=policy.topics[query.topic].handover,
    )


def customers(judge: Judge, traffic: Sequence[Query], *, seed: int, corrections: int) -> Data:
    """Let customers ask until there are enough corrections; keep as many accepted answers."""
    drawn = random.Random(seed).sample(traffic, len(traffic))
    wrong: list[Row] = []
    fine: list[Row] = []
    for begin in range(0, len(drawn), ASKED_AT_ONCE):
        asked = drawn[begin : begin + ASKED_AT_ONCE]
        for query, said in zip(asked, judge.base_answers(asked), strict=True):
            row = row_of(query, judge.policy)
            served = judge.marking.served_right(row, said)
            (fine if served else wrong).append(row if served else replace(row, rejected=said))
        if len(wrong) >= corrections:
            break
    return Data(wrong[:corrections], fine[:corrections])


def run(way: Way, data: Data, *, seed: int, folder: Path) -> Path:
    """Train in this process; returns the adapter's folder."""
    rows = list(way.rows(data, seed))
    random.Random(seed).shuffle(rows)
    held = {r.id for r in rows[: int(HELD_OUT_SHARE * len(rows))] if r.synthetic_of is None}
    split: dict[str, list[Row]] = {TRAIN: [], HELD_OUT: []}
    for row in rows:
        if row.synthetic_of in held:
            continue
        split[HELD_OUT if row.id in held else TRAIN].append(row)
    for name, part in split.items():
        write_rows(folder / name, sorted(part, key=lambda row: row.id))
    demo = yaml.safe_load(ASSISTANT.read_text())["recipe"]
    job = JobFolder(folder / "job")
    job.write_spec(
        Spec(
            assistant="bench",
            base_model=str(BASE),
            base_hash=base_hash(str(BASE)),
            dataset_id="ds",
            dataset_hash="0" * 64,
            dataset_folder=folder,
            parent=None,
            recipe=Recipe(**{**demo, **way.changes, "seed": seed}),
            max_length=512,
            threads=os.cpu_count() or 1,
            accelerator_lock=folder / "lock",
        )
    )
    adapter = train(job, job.read_spec())
    manifest = json.loads((adapter / "manifest.json").read_text())
    assert manifest["metrics"]["examples"], "nothing was trained"
    return adapter


if __name__ == "__main__":
    main()
