"""Snapshots: named by content, never changed, registered once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from records.artifacts import Artifacts, content_hash
from records.assistant import Assistant
from records.database import Database
from records.errors import Conflict, EmptyDataset, StorageUnavailable
from records.states import TrainingMethod
from records.tables import Dataset, DatasetExample, Example
from tests.tuning.build import lessons, teach
from tuning.dataset import snapshot
from tuning.dataset.examples import TrainingExample
from tuning.dataset.pipeline import Effort
from tuning.dataset.rows import HELD_OUT, TRAIN, read_rows, to_record
from tuning.dataset.snapshot import Order
from tuning.training.recipe import Recipe


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def take(
    database: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path, **order: object
) -> Dataset:
    recipe = order.pop("recipe", Recipe())
    wanted = Order(assistant, recipe, **order)  # type: ignore[arg-type]
    return snapshot.take(database, artifacts, wanted, scratch=scratch)


def registered(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(DatasetExample)) or 0


def test_the_same_examples_give_the_same_dataset_once(
    database: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(database, lessons(40))
    first, second = (take(database, artifacts, assistant, scratch) for _ in range(2))
    assert first.id == second.id
    assert first.id.startswith("ds-")
    assert len(first.id) == 15
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Dataset)) == 1
    assert registered(database) == 40
    assert not scratch.exists()


def test_one_example_more_is_another_dataset_and_leaves_the_first_alone(
    database: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(database, lessons(40))
    first = take(database, artifacts, assistant, scratch)
    before = content_hash(artifacts.fetch(first.path))
    teach(database, [("Something new?", "Yes.")])
    assert take(database, artifacts, assistant, scratch).id != first.id
    assert content_hash(artifacts.fetch(first.path)) == before


def test_rows_are_openai_messages_with_the_answer_last_and_no_customer(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(sqlite, lessons(3))
    folder = artifacts.fetch(take(sqlite, artifacts, assistant, scratch).path)
    row = next(read_rows(folder / TRAIN))
    assert [m["role"] for m in row.chat()] == ["system", "user", "assistant"]
    assert "customer" not in to_record(row)


def test_the_card_counts_steps_sources_and_warns(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    asked = "I would like to know when my new card will arrive"
    teach(sqlite, [*lessons(29), (asked, "Soon."), (f"{asked}, please", "Soon.")])
    dataset = take(sqlite, artifacts, assistant, scratch)
    card = dataset.card
    assert sum(card["counts"].values()) == 30
    assert card["by_source"]["train"].keys() == {"import"}
    assert [step["name"] for step in card["steps"]][-1] == "replay beyond its share"
    (near,) = (step for step in card["steps"] if step["name"] == "near duplicates")
    assert (near["kept"], near["dropped"]) == (30, 1)
    assert near["samples"][0]["why"].startswith("nearly the same as ex_")
    assert any("Only 30 examples" in warning for warning in card["warnings"])
    assert any("No replay" in warning for warning in card["warnings"])
    folder = artifacts.fetch(dataset.path)
    for plot in card["plots"]:
        assert (folder / plot["file"]).read_bytes().startswith(b"\x89PNG")
        assert (folder / plot["file"]).with_suffix(".txt").read_text().strip() == plot["alt"]


def test_unapproved_examples_are_not_trained_on(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(sqlite, lessons(5), approved=False)
    with pytest.raises(EmptyDataset, match="approve"):
        take(sqlite, artifacts, assistant, scratch)
    assert not scratch.exists()


def test_a_store_that_cannot_be_written_leaves_no_row(
    sqlite: Database, assistant: Assistant, tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / "store").write_text("a file where a folder should be")
    teach(sqlite, lessons(5))
    store = Artifacts(str(tmp_path / "store"), cache=tmp_path / "cache")
    with pytest.raises(StorageUnavailable):
        take(sqlite, store, assistant, scratch)
    with sqlite.read() as session:
        assert session.scalars(select(Dataset)).all() == []


def test_what_a_killed_run_left_undone_is_done_by_the_next(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(sqlite, lessons(20))
    first = take(sqlite, artifacts, assistant, scratch)
    (scratch / "working").mkdir(parents=True)
    (scratch / "working" / "sheet.duckdb").write_text("half of one")
    with sqlite.write() as session:
        gone = select(DatasetExample.example_id).order_by(DatasetExample.example_id).limit(7)
        session.execute(delete(DatasetExample).where(DatasetExample.example_id.in_(gone)))
    assert take(sqlite, artifacts, assistant, scratch).id == first.id
    assert registered(sqlite) == 20


def test_a_dataset_whose_examples_were_erased_meanwhile_is_refused(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(sqlite, lessons(5))

    def erase_one() -> None:
        with sqlite.write() as session:
            first = select(Example.id).order_by(Example.id).limit(1)
            session.execute(delete(Example).where(Example.id.in_(first)))

    with pytest.raises(Conflict, match=r"erased.*Retrain"):
        take(sqlite, artifacts, assistant, scratch, effort=Effort(1, check=erase_one))
    with sqlite.read() as session:
        assert session.scalars(select(Dataset)).all() == []
    assert registered(sqlite) == 0
    assert list(artifacts.cache.glob("datasets/*/*.parquet")) == []


def wordings(given: Iterator[TrainingExample]) -> Iterator[TrainingExample]:
    """Two for each example: one that nobody has, and one that is asked in the cases' or held-out
    part already, so that it must not come in."""
    for example in given:
        yield example
        for at, asked in enumerate((f"Please, {example.id} wants to know", "Where is my card 7?")):
            message = replace(example.prompt[-1], content=asked)
            yield replace(
                example, id=f"{example.id}-{at}", prompt=(message,), synthetic_of=example.id
            )


def test_synthetic_lessons_join_what_is_trained_on_and_register_their_parents_only(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path, tmp_path: Path
) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"messages": [{"role": "user", "content": "where is my card 7"}], "reference": "Here."}\n'
    )
    assistant = assistant.model_copy(update={"cases": str(cases)})
    teach(sqlite, lessons(40))
    dataset = take(sqlite, artifacts, assistant, scratch, augment=wordings)
    folder = artifacts.fetch(dataset.path)
    rows, held_out = (list(read_rows(folder / name)) for name in (TRAIN, HELD_OUT))
    synthetic = [row for row in rows if row.synthetic_of is not None]
    assert held_out
    assert all(row.synthetic_of is None for row in held_out)
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert {row.synthetic_of for row in synthetic} == {
        row.id for row in rows if row.synthetic_of is None
    }
    assert len(synthetic) == 40 - len(held_out)
    assert registered(sqlite) == 40
    step = dataset.card["steps"][-1]
    assert step["whys"] == {"line 1 of the cases file": len(synthetic)}
    assert dataset.card["counts"]["train"] == len(rows)


def test_declined_answers_come_only_where_thumbs_are_trained_on(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, scratch: Path
) -> None:
    teach(sqlite, lessons(5))
    decline(sqlite, "Can I pay later?", "No idea.")
    plain = take(sqlite, artifacts, assistant, scratch)
    judged = take(sqlite, artifacts, assistant, scratch, recipe=Recipe(method=TrainingMethod.KTO))
    assert sum(plain.card["counts"].values()) == 5
    rows = list(read_rows(artifacts.fetch(judged.path) / TRAIN))
    assert [(r.answer, r.rejected) for r in rows if r.answer is None] == [(None, "No idea.")]


def decline(database: Database, asked: str, answer: str) -> None:
    from records.states import ExampleSource, ExampleState

    with database.write() as session:
        session.add(
            Example(
                assistant="support",
                key=f"declined:{asked}",
                source=ExampleSource.DECLINED,
                prompt=[{"role": "customer", "content": asked}],
                chosen="",
                rejected=answer,
                state=ExampleState.APPROVED,
                created_by="customer",
            )
        )
