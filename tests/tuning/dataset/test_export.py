"""Exports: read by the programs that they are for, and imported again into the same examples."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from records.assistant import Assistant
from records.database import Database
from records.errors import InvalidInput
from records.states import ExampleState
from records.tables import Example
from tests.tuning.build import BASE
from tests.tuning.dataset.folders import row, write_folder
from tuning.dataset.export import Exported, ExportFormat, export
from tuning.dataset.rows import Row
from tuning.sources.importing import Summary, import_file
from tuning.sources.reading import Options

TALK = row(
    1,
    prompt=(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Wrong before."},
        {"role": "user", "content": "Where is it?\nHurry."},
    ),
    learn=(False, False, False, False),
    slice={"topic": "cards", "n": 3},
    origin={"file": "a.csv", "line": 2, "licence": "CC-BY-4.0"},
)
ROWS = [
    TALK,
    row(2, rejected="Gone.", origin={"licence": "CC-BY-4.0", "page": "faq.md"}),
    row(3, answer="[handoff] A colleague helps.", should_escalate=True),
    row(4, answer=None, rejected="Bad.", source="declined"),
    replace(row(5), id="ex_00002+1", synthetic_of="ex_00002"),
]
ABOUT = {"id": "ds-abc", "assistant": "support"}


def written(tmp_path: Path, form: ExportFormat, **options: Any) -> Exported:
    source = write_folder(tmp_path / "source", ROWS, [row(9)])
    return export(source, tmp_path / "out", form=form, about=ABOUT, **options)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_openais_chats_say_which_answers_are_not_learned(tmp_path: Path) -> None:
    done = written(tmp_path, ExportFormat.OPENAI)
    assert done.files == [
        "train.jsonl", "train-preferences.jsonl", "validation.jsonl", "README.md",
    ]  # fmt: skip
    chats = lines(tmp_path / "out" / "train.jsonl")
    assert all(set(chat) == {"messages"} for chat in chats)
    assert [message.get("weight") for message in chats[0]["messages"]] == [
        None, None, 0, None, None,
    ]  # fmt: skip
    (pair,) = lines(tmp_path / "out" / "train-preferences.jsonl")
    assert pair["non_preferred_output"] == [{"role": "assistant", "content": "Gone."}]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    contents = written(tmp_path, ExportFormat.TRL).contents
    assert contents.sides == {"train": 3, "validation": 1}
    assert (contents.pairs, contents.synthetic_left_out, contents.without_answer) == (1, 1, 1)


def test_synthetic_wordings_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    contents = written(tmp_path, ExportFormat.TRL, synthetic=True).contents
    assert contents.sides["train"] == 4
    assert contents.synthetic == 1


def test_the_readme_says_licences_and_whose_work_it_is(tmp_path: Path) -> None:
    written(tmp_path, ExportFormat.HUGGINGFACE)
    _, head, body = (tmp_path / "out" / "README.md").read_text().split("---\n", 2)
    found = yaml.safe_load(head)
    assert found["license"] == "other"
    assert found["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": "data/train-00000-of-00001.parquet"},
                {"split": "validation", "path": "data/validation-00000-of-00001.parquet"},
            ],
        }
    ]
    assert "| a.csv | CC-BY-4.0 | 1 |" in body
    assert "| faq.md | CC-BY-4.0 | 1 |" in body
    assert "| flag | not stated | 2 |" in body


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(InvalidInput, match="not empty"):
        written(tmp_path, ExportFormat.TRL)


def test_an_empty_dataset_gives_a_readme_alone(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source", [])
    for form in ExportFormat:
        done = export(source, tmp_path / form, form=form, about=ABOUT)
        assert done.files == ["README.md"]


Taught = dict[tuple[tuple[str, str], ...], tuple[str, bool]]


def taught(rows: list[Row]) -> Taught:
    """What rows teach: the conversation, the answer and whether a person should answer."""
    found = {}
    for one in rows:
        if one.answer is not None and one.synthetic_of is None:
            said = tuple((m["role"], m["content"]) for m in one.prompt if m["role"] != "system")
            answer = one.answer.removeprefix("[handoff] ")
            found[said] = (answer, one.should_escalate)
    return found


@pytest.mark.parametrize("form", list(ExportFormat))
@pytest.mark.parametrize("synthetic", [False, True])
def test_what_is_exported_is_imported_as_the_same_examples(
    tmp_path: Path, sqlite: Database, assistant: Assistant, form: ExportFormat, synthetic: bool
) -> None:
    with_synthetic = synthetic and form is ExportFormat.HUGGINGFACE  # others can't mark them
    done = written(tmp_path, form, synthetic=with_synthetic)
    summary = Summary("support")
    for file in done.files:
        if file != "README.md":
            import_file(
                sqlite, done.folder / file, Options(), into=summary, assistant=assistant,
                actor="ann", approved=True,
            )  # fmt: skip
    assert summary.bad == 0
    assert summary.synthetic == with_synthetic
    with sqlite.read() as session:
        found = session.scalars(select(Example)).all()
    roles = {"customer": "user", "assistant": "assistant"}
    imported = {
        tuple((roles[m["role"]], m["content"]) for m in one.prompt): (
            one.chosen,
            one.should_escalate,
        )
        for one in found
    }
    assert imported == taught([*ROWS, row(9)])
    assert {one.state for one in found} == {ExampleState.APPROVED}
    if form is ExportFormat.HUGGINGFACE:
        assert {one.chosen: one.rejected for one in found if one.rejected} == {
            "Open the app.": "Gone."
        }
        talk = next(one for one in found if len(one.prompt) > 1)
        assert talk.slice == {"topic": "cards", "n": 3}
        assert talk.origin["licence"] == "CC-BY-4.0"


def test_hugging_faces_library_loads_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import load_dataset

    written(tmp_path, ExportFormat.HUGGINGFACE)
    found = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in found.items()} == {"train": 3, "validation": 1}
    assert found["train"][0]["messages"][-1] == {"role": "assistant", "content": "Open the app."}


@pytest.mark.slow
def test_trls_trainers_prepare_what_is_exported(tmp_path: Path) -> None:
    from datasets import load_dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    written(tmp_path, ExportFormat.TRL)
    found = load_dataset(str(tmp_path / "out"), "default", cache_dir=str(tmp_path / "cache"))
    pairs = load_dataset(str(tmp_path / "out"), "preferences", cache_dir=str(tmp_path / "cache"))
    model = AutoModelForCausalLM.from_pretrained(BASE)
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    options = {"output_dir": str(tmp_path / "runs"), "report_to": "none", "use_cpu": True}
    trainer = SFTTrainer(
        model, SFTConfig(**options), train_dataset=found["train"], processing_class=tokenizer
    )
    prepared = trainer.train_dataset
    assert len(prepared) == 3
    first = prepared[0]
    learned = [
        token for token, label in zip(first["input_ids"], first["labels"], strict=True)
        if label != -100
    ]  # fmt: skip
    assert tokenizer.decode(learned, skip_special_tokens=True).strip() == "Open the app."
    chosen = DPOTrainer(
        model, args=DPOConfig(**options), train_dataset=pairs["train"], processing_class=tokenizer
    )
    assert len(chosen.train_dataset) == 1
