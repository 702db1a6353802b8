"""Asking an endpoint: each thing once, a few at a time, patient and then honest."""

import sqlite3
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from records.assistant import Assistant
from records.database import Database
from records.errors import ConfigurationError, EngineRefused, EngineUnavailable
from tests.conftest import install
from tests.stub_engine import Fault, StubEngine
from tuning.augmentation.asking import Ask, Asker, forget_all
from tuning.augmentation.endpoint import Endpoint
from tuning.settings import WorkerSettings


def ask(text: str, **how: int) -> Ask:
    return Ask((("user", text),), **how)


def answers(
    engine: StubEngine, cache: Path, asks: list[Ask], **options: object
) -> list[str | None]:
    endpoint = Endpoint(engine.url, "writer")
    with Asker(endpoint, cache=cache, at_once=4, **options) as asker:  # type: ignore[arg-type]
        return asker.answers(asks)


def test_nothing_is_asked_twice(engine: StubEngine, tmp_path: Path) -> None:
    asks = [ask(f"text {n % 20}") for n in range(40)]
    first, second = (answers(engine, tmp_path / "cache", asks) for _ in range(2))
    assert first == second == [f"writer answers: text {n % 20}" for n in range(40)]
    assert len(engine.requests) == 20
    answers(engine, tmp_path / "cache", [ask("text 1", seed=1)])
    assert len(engine.requests) == 21


def test_what_was_answered_before_a_failure_is_kept(engine: StubEngine, tmp_path: Path) -> None:
    def answer(_: str, messages: list[dict[str, str]]) -> str:
        if messages[-1]["content"] == "text 9":
            engine.fault = Fault.ERROR_500
        return "fine"

    engine.answer = answer
    with pytest.raises(EngineUnavailable):
        answers(engine, tmp_path / "cache", [ask(f"text {n}") for n in range(200)])
    engine.fault, before = Fault.NONE, len(engine.requests)
    engine.answer = lambda *_: "fine"
    found = answers(engine, tmp_path / "cache", [ask(f"text {n}") for n in range(10)])
    assert found == ["fine"] * 10
    assert len(engine.requests) - before < 10


def test_a_refused_one_is_none_and_the_others_are_answered(
    engine: StubEngine, tmp_path: Path
) -> None:
    long = "x" * 30_000
    found = answers(engine, tmp_path / "cache", [ask("short"), ask(long), ask("other")])
    assert found == ["writer answers: short", None, "writer answers: other"]


def test_an_unknown_model_is_no_reason_to_go_on_asking(engine: StubEngine, tmp_path: Path) -> None:
    endpoint = Endpoint(engine.url, "nobody")
    with (
        Asker(endpoint, cache=tmp_path / "cache", at_once=4) as asker,
        pytest.raises(EngineRefused),
    ):
        asker.answers([ask("a")])


def test_waiting_can_be_ended(engine: StubEngine, tmp_path: Path) -> None:
    class Left(Exception):
        pass

    def leave() -> None:
        raise Left

    engine.fault = Fault.HANG
    with pytest.raises(Left):
        answers(engine, tmp_path / "cache", [ask("a")], check=leave)


def test_the_cache_is_private_forgets_and_ages(engine: StubEngine, tmp_path: Path) -> None:
    cache = tmp_path / "home" / "cache"
    answers(engine, cache, [ask("old")], now=lambda: 0.0)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    answers(engine, cache, [ask("new")], now=lambda: 100 * 86_400.0)
    with sqlite3.connect(cache) as database:
        assert database.execute("SELECT answer FROM answers").fetchall() == [
            ("writer answers: new",)
        ]
    database.close()
    forget_all(cache)
    forget_all(cache)
    assert list(cache.parent.iterdir()) == []


def test_the_endpoint_is_what_is_said_then_what_is_set_then_the_champion(
    sqlite: Database, assistant: Assistant, tmp_path: Path
) -> None:
    install(sqlite, assistant)
    ours = WorkerSettings(home=tmp_path, engine_urls="http://127.0.0.1:1")
    assert Endpoint.of(ours, sqlite, assistant) == Endpoint(
        "http://127.0.0.1:1", assistant.base_version
    )
    theirs = ours.model_copy(
        update={
            "augment_url": "https://host/v1/",
            "augment_model": "big",
            "augment_key": SecretStr("k"),
        }
    )
    assert Endpoint.of(theirs, sqlite, assistant) == Endpoint("https://host", "big", SecretStr("k"))
    assert Endpoint.of(ours, sqlite, assistant, model="other").model == "other"
    with pytest.raises(ConfigurationError, match="UNDERSTUDY_AUGMENT_MODEL"):
        Endpoint.of(ours, sqlite, assistant, url="https://host")
