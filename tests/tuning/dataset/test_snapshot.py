"""Snapshots: named by content, never changed, registered once."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from records.artifacts import Artifacts, content_hash
from records.assistant import Assistant
from records.database import Database
from records.errors import EmptyDataset, StorageUnavailable
from records.states import ExampleSource
from records.tables import Dataset, DatasetExample
from tests.tuning.build import example, lessons, teach
from tuning.dataset import snapshot
from tuning.dataset.collect import collect
from tuning.dataset.rows import TRAIN, read_rows, to_record
from tuning.training.recipe import Recipe


def take(database: Database, artifacts: Artifacts, assistant: Assistant) -> Dataset:
    prepared = snapshot.prepare(collect(database, assistant), Recipe(), case_lines={})
    return snapshot.publish(database, artifacts, assistant, prepared)


def test_the_same_examples_give_the_same_dataset_once(
    database: Database, artifacts: Artifacts, assistant: Assistant
) -> None:
    teach(database, lessons(40))
    first, second = (take(database, artifacts, assistant) for _ in range(2))
    assert first.id == second.id
    assert first.id.startswith("ds-")
    assert len(first.id) == 15
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Dataset)) == 1
        assert session.scalar(select(func.count()).select_from(DatasetExample)) == 40


def test_one_example_more_is_another_dataset_and_leaves_the_first_alone(
    database: Database, artifacts: Artifacts, assistant: Assistant
) -> None:
    teach(database, lessons(40))
    first = take(database, artifacts, assistant)
    before = content_hash(artifacts.fetch(first.path))
    teach(database, [("Something new?", "Yes.")])
    assert take(database, artifacts, assistant).id != first.id
    assert content_hash(artifacts.fetch(first.path)) == before


def test_rows_are_openai_messages_with_the_answer_last_and_no_customer(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant
) -> None:
    teach(sqlite, lessons(3))
    folder = artifacts.fetch(take(sqlite, artifacts, assistant).path)
    row = next(read_rows(folder / TRAIN))
    assert [m["role"] for m in row.chat()] == ["system", "user", "assistant"]
    assert "customer" not in to_record(row)


def test_the_card_counts_steps_sources_and_warns(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant
) -> None:
    teach(sqlite, lessons(30))
    card = take(sqlite, artifacts, assistant).card
    assert sum(card["counts"].values()) == 30
    assert card["by_source"]["train"].keys() == {"import"}
    assert [step["name"] for step in card["steps"]][-1] == "replay beyond its share"
    assert any("Only 30 examples" in warning for warning in card["warnings"])
    assert any("No replay" in warning for warning in card["warnings"])


def test_unapproved_examples_are_not_trained_on(sqlite: Database, assistant: Assistant) -> None:
    teach(sqlite, lessons(5), approved=False)
    assert collect(sqlite, assistant) == []


@pytest.mark.parametrize("only", [[], [example(1, source=ExampleSource.ACCEPTED)]])
def test_nothing_approved_is_an_error_that_says_what_to_do(only: list[object]) -> None:
    with pytest.raises(EmptyDataset, match="approve"):
        snapshot.prepare(only, Recipe(), case_lines={})  # type: ignore[arg-type]


def test_a_few_corrections_among_much_replay_are_all_trained_on() -> None:
    accepted = [example(n, source=ExampleSource.ACCEPTED) for n in range(10, 60)]
    for number in range(10):
        prepared = snapshot.prepare(
            [example(number), *accepted], Recipe(replay_share=0.95), case_lines={}
        )
        assert example(number) in prepared.parts.train


def test_a_store_that_cannot_be_written_leaves_no_row(
    sqlite: Database, assistant: Assistant, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("a file where a folder should be")
    teach(sqlite, lessons(5))
    with pytest.raises(StorageUnavailable):
        take(sqlite, Artifacts(str(tmp_path / "store"), cache=tmp_path / "cache"), assistant)
    with sqlite.read() as session:
        assert session.scalars(select(Dataset)).all() == []
