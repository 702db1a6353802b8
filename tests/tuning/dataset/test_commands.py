"""`understudy dataset`: the newest by default; found by its beginning; compared and exported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from records.artifacts import Artifacts
from records.assistant import read_assistants
from records.database import Database
from records.ids import utc_now
from records.states import ExampleState, VersionState
from records.tables import Audit, Dataset, Example, Version
from tests.tuning.build import lessons, teach, write_assistant
from tuning.augmentation.augment import Augmentation
from tuning.augmentation.settings import Wording
from tuning.dataset import snapshot
from tuning.dataset.commands import dataset
from tuning.dataset.pipeline import Effort
from tuning.settings import WorkerSettings
from tuning.training.recipe import Recipe

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    """A home whose database is migrated by the first command."""
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(write_assistant(tmp_path / "assistants")))
    monkeypatch.setenv("COLUMNS", "120")
    return WorkerSettings.load(augment_with=Wording.RULES)


@pytest.fixture
def store(home: WorkerSettings, sqlite: Database) -> Database:
    """The home's database: that of the `sqlite` fixture, which lies where the home is."""
    assert sqlite.url == home.database
    return sqlite


def run(*arguments: str) -> Result:
    return CliRunner().invoke(dataset, arguments)


def take(settings: WorkerSettings, store: Database, *, augment: int = 0) -> Dataset:
    assistant = read_assistants(settings.assistants)["support"]
    order = snapshot.Order(
        assistant,
        Recipe(augment=augment),
        augment=Augmentation(settings, store, assistant, per_example=augment, seed=1)
        if augment
        else None,
        effort=Effort(processes=1),
    )
    return snapshot.take(store, Artifacts.of(settings), order, scratch=settings.home / "scratch")


def test_without_any_it_says_how_one_is_made(home: WorkerSettings) -> None:
    assert "understudy retrain" in run("list").stdout
    done = run("show")
    assert done.exit_code == 1
    assert "understudy retrain" in str(done.exception)


def test_a_card_is_shown_in_words_and_as_json(home: WorkerSettings, store: Database) -> None:
    teach(store, lessons(30))
    made = take(home, store, augment=2)
    said = run("show").stdout
    assert f"{made.id}, for support, made " in said
    assert "By source" in said
    assert "import" in said
    assert "exact duplicates" in said
    assert "! Only " in said
    assert "Other wordings by rules: " in said
    assert "none of them is held out" in said
    shown = json.loads(run("show", made.id, "--json").stdout)
    assert shown["card"]["augmentation"]["written_by"] == "rules"
    assert shown["card"]["synthetic"] > 0
    assert Path(shown["folder"]).is_dir()


def test_a_dataset_is_found_by_its_beginning_and_by_a_version(
    home: WorkerSettings, store: Database
) -> None:
    teach(store, lessons(30))
    made = take(home, store)
    with store.write() as session:
        for name, of in (("support-1", made.id), ("support-base", None)):
            session.add(
                Version(
                    id=name, assistant="support", base_model="b", base_hash="0", dataset_id=of,
                    state=VersionState.TRAINED,
                )
            )  # fmt: skip
    for name in (made.id, made.id[:7], made.id.removeprefix("ds-"), "support-1"):
        assert json.loads(run("show", name, "--json").stdout)["id"] == made.id
    assert "Trained from it: support-1" in run("show").stdout
    assert "bare base model" in str(run("show", "support-base").exception)
    assert "no dataset" in str(run("show", "ds-nothing").exception)
    assert "support-1" in run("list").stdout


def test_a_difference_says_what_came_and_why_what_is_gone_is_gone(
    home: WorkerSettings, store: Database
) -> None:
    teach(store, lessons(30))
    old = take(home, store)
    teach(store, [("How much is a new card?", "Nothing at all.")])
    with store.write() as session:
        first, second, *_ = session.scalars(select(Example).order_by(Example.id)).all()
        first.state = ExampleState.REJECTED
        second.state = ExampleState.WITHDRAWN
    new = take(home, store)
    found = json.loads(run("diff", old.id, "--json").stdout)
    assert (found["old"], found["new"]) == (old.id, new.id)
    assert (found["counts"]["added"], found["counts"]["removed"]) == (1, 2)
    assert found["by_source"]["added"] == {"import": 1}
    assert found["removed_because"] == {"rejected": 1, "withdrawn": 1}
    said = run("diff", old.id, new.id).stdout
    assert "1 added, 2 removed" in said
    assert "How much is a new card?" in said


def test_an_export_is_noted_and_an_erased_dataset_is_not_exported(
    home: WorkerSettings, store: Database, tmp_path: Path
) -> None:
    teach(store, lessons(30))
    made = take(home, store)
    done = run("export", "--format", "trl", "--to", str(tmp_path / "out"), "--json")
    written: dict[str, Any] = json.loads(done.stdout)
    assert sum(written["examples"].values()) == 30
    with store.write() as session:
        noted = session.scalars(select(Audit.subject).where(Audit.action == "dataset_exported"))
        assert list(noted) == [made.id]
        row = session.get_one(Dataset, made.id)
        row.erased_at, row.replaced_by = utc_now(), "ds-other"
    refused = run("export", "--to", str(tmp_path / "other"))
    assert "export ds-other" in str(refused.exception)
    assert not (tmp_path / "other").exists()
    assert "Somebody's words were taken out of it; ds-other" in run("show").stdout
