"""What one process does with a batch: the steps for one example, then rows and keys of the rest.

The rows are what the dataset's files will hold; the keys are what the steps for the whole set
compare. Nothing here depends on which examples share a batch.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from records.assistant import Assistant
from records.states import ExampleSource
from tuning.dataset.cases import Cases
from tuning.dataset.collect import Gathered, to_example
from tuning.dataset.examples import TrainingExample, place
from tuning.dataset.nearness import (
    Asked,
    Bands,
    Hashes,
    Signatures,
    asked,
    bands_for,
    hashes_of,
    signatures,
)
from tuning.dataset.options import DataOptions
from tuning.dataset.rows import SCHEMA, record_digest, to_record
from tuning.dataset.steps.all_steps import example_steps
from tuning.dataset.steps.language import language_guess
from tuning.dataset.steps.step import Dropped, ExampleStep
from tuning.dataset.tally import SAMPLES, Tally, change, sample

WEIGHTS: Mapping[ExampleSource, int] = {
    ExampleSource.FLAG: 3,  # an agent looked at this very answer
    ExampleSource.REPLY: 2,
    ExampleSource.IMPORT: 1,
    ExampleSource.DOCUMENT: 1,
    ExampleSource.ACCEPTED: 0,  # the customer was content, which is less than being right
    ExampleSource.DECLINED: 0,
}
"""How much a source's word counts where two examples cannot both be kept."""
NOT_SHOWN = "(not shown: personal data)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGEST, SIGNATURE = "digest", "signature"
LESSONS = SCHEMA.append(pa.field(DIGEST, pa.binary(32), nullable=False))
"""A row as a dataset holds it, and its digest."""
_KEYS = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("rank", pa.uint8()),  # see WEIGHTS
        ("created", pa.int64()),  # microseconds since 1970
        ("conversation", pa.uint64()),
        ("customer", pa.uint64()),
        ("prompt", pa.uint64()),  # equal for prompts that count as the same
        ("answer", pa.uint64()),  # equal for answers that count as the same
        ("escalates", pa.bool_()),
        ("topic", pa.string()),
        ("language", pa.string()),
        ("licence", pa.string()),
        ("asked_characters", pa.int32()),
        ("answer_characters", pa.int32()),
        ("weight", pa.float64()),
        ("case", pa.int32()),  # the line of the test case that the prompt is, or nearly is
        ("split", pa.float64()),  # where the prompt falls, 0..1, see `place`
        ("replay", pa.float64()),
        ("noise", pa.float64()),
        ("last", pa.string()),  # as `Asked` has them
        ("talk", pa.string()),
    ]
)


@dataclass(frozen=True)
class Task:
    """What a process must know to clean examples."""

    assistant: Assistant
    options: DataOptions
    cases: Cases = field(default_factory=Cases)

    @property
    def bands(self) -> Bands | None:
        """How prompts that are nearly the same are found; None where only equal ones count."""
        return bands_for(self.options.near_duplicates)


def keys_schema(bands: Bands | None) -> pa.Schema:
    """What the keys of an example are."""
    if bands is None:
        return _KEYS
    hashes = [pa.field(name, pa.uint64()) for name in bands.names]
    return pa.schema([*_KEYS, pa.field(SIGNATURE, pa.binary(bands.width)), *hashes])


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What came of a batch: `lessons` and `keys` have a row for each example that was kept."""

    lessons: pa.RecordBatch
    keys: pa.RecordBatch
    tallies: list[Tally]


class Cleaner:
    """Cleans batches, one process each: its steps hold engines."""

    def __init__(self, task: Task) -> None:
        """Build the steps.

        Raises:
            ConfigurationError: an option cannot be used.
        """
        self._task = task
        self._steps = example_steps(task.options, task.assistant)
        self._conceal = [step for step in self._steps if step.name.startswith("personal data")]
        self._language = language_guess()

    def clean(self, batch: Sequence[Gathered], full: Collection[str] = ()) -> Cleaned:
        """Clean a batch; steps named in `full` need no samples any more."""
        given = [to_example(one, self._task.assistant) for one in batch]
        kept, tallies = self.run_steps(given, full=full)
        return self.finish(kept, given, tallies)

    def run_steps(
        self, examples: Sequence[TrainingExample], *, full: Collection[str] = ()
    ) -> tuple[list[TrainingExample], list[Tally]]:
        """What the steps make of examples, and what each of them did."""
        kept, tallies = list(examples), []
        for step in self._steps:
            kept, tally = self._run(step, kept, wants_samples=step.name not in full)
            tallies.append(tally)
        return kept, tallies

    def finish(
        self,
        kept: Sequence[TrainingExample],
        given: Sequence[TrainingExample],
        tallies: list[Tally],
    ) -> Cleaned:
        """Rows and keys of clean examples; `given` are the same and others as they were before."""
        started = time.process_time()
        topic, system_prompt = self._task.options.topic, self._task.assistant.system_prompt
        records = [to_record(e.row(system_prompt=system_prompt, topic=topic)) for e in kept]
        lessons = pa.RecordBatch.from_pylist(
            [{**record, DIGEST: record_digest(record)} for record in records], schema=LESSONS
        )
        rows = Tally("rows", kept=len(kept), seconds=time.process_time() - started)
        started = time.process_time()
        prompts = [asked(example.prompt) for example in kept]
        signed = self._signed(prompts)
        signing = Tally("signatures", kept=len(kept), seconds=time.process_time() - started)
        started = time.process_time()
        keys = self._keys(kept, prompts, signed, {e.id: e for e in given})
        keying = Tally("keys", kept=len(kept), seconds=time.process_time() - started)
        return Cleaned(lessons, keys, [*tallies, rows, signing, keying])

    def _run(
        self, step: ExampleStep, given: Sequence[TrainingExample], *, wants_samples: bool
    ) -> tuple[list[TrainingExample], Tally]:
        tally, kept = Tally(step.name), []
        changed: list[tuple[TrainingExample, TrainingExample]] = []
        dropped: list[tuple[TrainingExample, str]] = []
        started = time.process_time()
        for example in given:
            result = step.work(example)
            if isinstance(result, Dropped):
                dropped.append((example, result.why))
                continue
            if result is not example:
                changed.append((example, result))
            kept.append(result)
        tally.seconds = time.process_time() - started
        tally.kept, tally.changed, tally.dropped = len(kept), len(changed), len(dropped)
        tally.whys.update(why for _, why in dropped)
        if wants_samples:
            tally.samples = [sample(self._shown(e), why) for e, why in dropped[:SAMPLES]]
            tally.changes = [self._changed(step, *pair) for pair in changed[:SAMPLES]]
        return kept, tally

    def _changed(
        self, step: ExampleStep, before: TrainingExample, after: TrainingExample
    ) -> dict[str, str]:
        """What a step changed, as a card may show it."""
        if step not in self._conceal:
            return change(self._shown(before), self._shown(after))
        return {**change(before, self._shown(after)), "before": NOT_SHOWN}

    def _shown(self, example: TrainingExample) -> TrainingExample:
        """An example as a card may show it: without personal data, whatever step it was at."""
        for step in self._conceal:
            hidden = step.work(example)
            if not isinstance(hidden, Dropped):
                example = hidden
        return example

    def _signed(self, prompts: Sequence[Asked]) -> tuple[Signatures, Hashes] | None:
        bands = self._task.bands
        if bands is None:
            return None
        found = signatures(prompts, bands)
        return found, hashes_of(found, bands)

    def _keys(
        self,
        kept: Sequence[TrainingExample],
        prompts: Sequence[Asked],
        signed: tuple[Signatures, Hashes] | None,
        given: Mapping[str, TrainingExample],
    ) -> pa.RecordBatch:
        prompt_keys = [example.prompt_key for example in kept]
        hashes = None if signed is None else signed[1]
        cases = self._task.cases.contact_of(prompt_keys, prompts, hashes)
        cases = self._contact_before(kept, cases, given)
        rows = zip(kept, prompts, prompt_keys, cases, strict=True)
        keys = pa.RecordBatch.from_pylist([self._key(*row) for row in rows], schema=_KEYS)
        return keys if signed is None else with_signatures(keys, prompts, *signed)

    def _contact_before(
        self,
        kept: Sequence[TrainingExample],
        cases: Sequence[int | None],
        given: Mapping[str, TrainingExample],
    ) -> list[int | None]:
        """The test case that each prompt is, as it is or as it was before it was cleaned."""
        changed = [e.id for e in kept if given[e.id].prompt is not e.prompt]
        before = self._task.cases.contact([given[name].prompt for name in changed])
        lines = dict(zip(changed, before, strict=True))
        return [_first(line, lines.get(e.id)) for e, line in zip(kept, cases, strict=True)]

    def _key(
        self, example: TrainingExample, prompt: Asked, key: str, case: int | None
    ) -> dict[str, Any]:
        topic = self._task.options.topic
        licence = example.origin.get("licence")
        return {
            "id": example.id,
            "source": str(example.source),
            "rank": WEIGHTS[example.source],
            "created": (example.created_at - _EPOCH) // timedelta(microseconds=1),
            "conversation": _hash(example.conversation_id),
            "customer": _hash(example.customer),
            "prompt": int(key, 16),
            "answer": _hash(example.answer_key),
            "escalates": example.should_escalate,
            "topic": str(example.slice[topic]) if topic in example.slice else None,
            "language": self._language(example.prompt[-1].content) if example.prompt else None,
            "licence": None if licence is None else str(licence),
            "asked_characters": len(example.prompt[-1].content) if example.prompt else 0,
            "answer_characters": len(example.answer or example.rejected or ""),
            "weight": example.weight,
            "case": case,
            "split": place("split", key),
            "replay": place("replay", key),
            "noise": place("label noise", example.id),
            "last": prompt.last,
            "talk": prompt.talk,
        }


def with_signatures(
    keys: pa.RecordBatch, prompts: Sequence[Asked], found: Signatures, hashes: Hashes
) -> pa.RecordBatch:
    """Keys, and what finds prompts that are nearly the same; those without words are found by none.

    Of each place of a signature a byte is kept, which is enough (`nearness.plausible`).
    """
    kept = np.ascontiguousarray(found.astype(np.uint8))
    kind = pa.binary(found.shape[1])
    blobs = pa.FixedSizeBinaryArray.from_buffers(kind, len(kept), [None, pa.py_buffer(kept)])
    wordless = np.array([not prompt.last and not prompt.talk for prompt in prompts], bool)
    bands = [pa.array(column, pa.uint64(), mask=wordless) for column in hashes.T]
    names = [*keys.schema.names, SIGNATURE, *(f"band_{at}" for at in range(len(bands)))]
    return pa.RecordBatch.from_arrays([*keys.columns, blobs, *bands], names=names)


def _first(one: int | None, other: int | None) -> int | None:
    return min((line for line in (one, other) if line is not None), default=None)


def _hash(text: str | None) -> int | None:
    """A text's 64 bits, the same on every machine; none for no text."""
    if not text:
        return None
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
