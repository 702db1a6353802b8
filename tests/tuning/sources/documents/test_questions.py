"""Questions by a model: asked about sections, kept if they are usable, never approved."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from records.assistant import Assistant
from records.database import Database
from records.errors import EngineUnavailable
from records.states import ExampleState
from records.tables import Example
from tests.stub_engine import Fault, StubEngine
from tests.tuning.build import write_assistant
from tuning.augmentation.endpoint import Endpoint
from tuning.sources.documents.adding import add_documents
from tuning.sources.documents.blocks import Section
from tuning.sources.documents.commands import documents
from tuning.sources.documents.questions import Written, questions_in, write_questions

SECTION = Section(("Cards",), "A new card takes three days. Abroad it takes a week, or even two.")


def test_lines_that_ask_about_the_section_are_kept() -> None:
    answer = (
        "Here are two questions:\n1. How long does a new card take?\n"
        "- **Is a card slower abroad?**\n"
        "* how long does a NEW card take??\nWhat is love?\nCards take three days.\n"
        f"{'very ' * 60}long card?"
    )
    assert questions_in(answer, SECTION, most=5) == [
        "How long does a new card take?",
        "Is a card slower abroad?",
    ]
    assert questions_in(answer, SECTION, most=1) == ["How long does a new card take?"]
    assert questions_in("", SECTION, most=5) == []


@pytest.fixture
def engine() -> Iterator[StubEngine]:
    """A stub in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stub = StubEngine("writer")
    asyncio.run_coroutine_threadsafe(stub.start(), loop).result(10)
    yield stub
    asyncio.run_coroutine_threadsafe(stub.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def add_page(tmp_path: Path, database: Database, assistant: Assistant) -> None:
    page = tmp_path / "cards.md"
    page.write_text(f"# Cards\n\n{SECTION.text}\n\n## Short\n\nNo.\n\n## Long\n\n{'word ' * 400}")
    add_documents(database, [(page, "cards.md")], assistant=assistant, actor="ann")


def write(database: Database, engine: StubEngine, assistant: Assistant, tmp_path: Path) -> Written:
    return write_questions(
        database,
        Endpoint(engine.url, "writer"),
        assistant=assistant,
        names=["cards.md"],
        per_section=2,
        actor="ann",
        cache=tmp_path / "cache.sqlite",
    )


def test_questions_are_proposed_with_the_sections_words_and_asked_for_once(
    tmp_path: Path, sqlite: Database, engine: StubEngine, assistant: Assistant
) -> None:
    add_page(tmp_path, sqlite, assistant)
    engine.answer = lambda _model, _messages: "How long does a card take?\nIs it slow abroad?"
    first, again = (write(sqlite, engine, assistant, tmp_path) for _ in range(2))
    assert (first.sections, first.written, first.added) == (1, 2, 2)
    assert first.left_out == {"too short to be an answer": 1, "too long to be an answer": 1}
    assert again.added == 0
    assert len(engine.requests) == 1
    with sqlite.read() as session:
        found = session.scalars(select(Example)).all()
    assert {example.state for example in found} == {ExampleState.PROPOSED}
    assert {example.chosen for example in found} == {SECTION.text}
    assert {example.origin["asked_by"] for example in found} == {"model"}
    assert {example.origin["model"] for example in found} == {"writer"}
    add_page(tmp_path, sqlite, assistant)  # adding the page again keeps them
    with sqlite.read() as session:
        assert len(session.scalars(select(Example).filter_by(state="proposed")).all()) == 2


def test_an_endpoint_that_is_down_is_said_so(
    tmp_path: Path, sqlite: Database, engine: StubEngine, assistant: Assistant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("tuning.augmentation.asking._PATIENCE_SECONDS", (0.0, 0.0))
    add_page(tmp_path, sqlite, assistant)
    engine.fault = Fault.ERROR_500
    with pytest.raises(EngineUnavailable):
        write(sqlite, engine, assistant, tmp_path)
    assert len(engine.requests) == 3


def test_the_command_asks_the_endpoint_that_is_named(
    tmp_path: Path, sqlite: Database, engine: StubEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(write_assistant(tmp_path / "assistants")))
    page = tmp_path / "cards.md"
    page.write_text(f"# Cards\n\n{SECTION.text}")
    engine.answer = lambda _model, _messages: "How long does a card take?"
    asked = ["--url", f"{engine.url}/v1", "--model", "writer"]
    assert CliRunner().invoke(documents, ["add", str(page)]).exit_code == 0
    done = CliRunner().invoke(documents, ["questions", *asked])
    assert done.exit_code == 0
    assert (
        "writer was asked about 1 sections and wrote 1 usable questions; 1 are new" in done.stdout
    )
    refused = CliRunner().invoke(documents, ["questions", "--url", engine.url])
    assert "UNDERSTUDY_AUGMENT_MODEL" in str(refused.exception)
