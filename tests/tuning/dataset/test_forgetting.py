"""What is kept apart to be asked: chosen by the question's hash for good, and never trained on."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import LeakedCases
from records.ids import utc_now
from records.messages import Message, Role
from records.states import ExampleSource, ExampleState
from records.tables import DatasetExample, Example
from tests.tuning.build import example, lessons, teach
from tests.tuning.dataset.preparing import ASSISTANT, Outcome, run
from tuning.dataset import forgetting, snapshot
from tuning.dataset.cases import read_cases
from tuning.dataset.examples import TrainingExample
from tuning.dataset.forgetting import NAME, is_kept_apart
from tuning.dataset.pipeline import KEPT_APART_SIDE
from tuning.dataset.rows import HELD_OUT, KEPT_APART, TRAIN, read_rows
from tuning.dataset.snapshot import Order
from tuning.erasure.datasets import rewrite
from tuning.training.recipe import Recipe

SHARE = 0.1
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def asked(number: int) -> str:
    """A question like no other."""
    letters = hashlib.sha256(str(number).encode()).hexdigest().translate(_LETTERS)
    return f"{letters[:12]} {letters[12:24]} {letters[24:36]}?"


def accepted(number: int, **changes: str) -> TrainingExample:
    words = {"asked": asked(number), "answer": f"Answer {number}.", **changes}
    return example(number, source=ExampleSource.ACCEPTED, **words)  # type: ignore[arg-type]


def accept(database: Database, count: int) -> None:
    """Add answers that customers accepted."""
    with database.write() as session:
        session.add_all(
            Example(
                id=f"ex_accepted_{number:03d}",
                assistant="support",
                key=f"accepted:{number}",
                source=ExampleSource.ACCEPTED,
                prompt=[{"role": Role.CUSTOMER, "content": asked(number)}],
                chosen=f"Answer {number}.",
                should_escalate=False,
                created_by="customer",
                state=ExampleState.APPROVED,
                decided_at=utc_now(),
            )
            for number in range(count)
        )


CORRECTIONS = [example(9000 + n, asked=f"How do I pay bill {n}?") for n in range(20)]


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "LEAST_ACCEPTED", 50)


def apart(outcome: Outcome, given: Sequence[TrainingExample]) -> set[str]:
    ids = sorted(one.id for one in given)
    sides = outcome.prepared.sides.tolist()
    return {name for name, side in zip(ids, sides, strict=True) if side == KEPT_APART_SIDE}


@given(st.text(min_size=1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_greater_share_keeps_the_same_and_more_apart(key: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert is_kept_apart(key, share=more) or not is_kept_apart(key, share=less)


def test_about_the_share_is_kept_apart_and_nothing_of_it_trained_on(tmp_path: Path) -> None:
    given = [*map(accepted, range(250)), *CORRECTIONS]
    outcome = run(tmp_path, given, near_duplicates=1)
    found = apart(outcome, given)
    expected = {
        one.id
        for one in given
        if one.source is ExampleSource.ACCEPTED and is_kept_apart(one.prompt_key, share=SHARE)
    }
    assert found == expected
    assert 10 < len(found) < 45
    assert not found & set(outcome.kept)
    assert outcome.dropped(NAME) == len(found)


def test_a_history_that_grows_leaves_what_is_kept_apart_where_it_is(tmp_path: Path) -> None:
    before = [*map(accepted, range(200)), *CORRECTIONS]
    after = [*map(accepted, range(250)), *CORRECTIONS]
    first = apart(run(tmp_path, before, near_duplicates=1), before)
    later = run(tmp_path, after, near_duplicates=1)
    assert first <= apart(later, after)
    assert not first & set(later.kept)


def marked() -> int:
    """The number of an accepted answer that is kept apart."""
    return next(n for n in range(250) if is_kept_apart(accepted(n).prompt_key, share=SHARE))


def unmarked(start: int) -> int:
    numbers = range(start, 2000)
    return next(n for n in numbers if not is_kept_apart(accepted(n).prompt_key, share=SHARE))


def test_nearly_the_same_question_is_not_trained_on_either(tmp_path: Path) -> None:
    number = marked()
    near = accepted(1500, asked=f"{asked(number)[:-1]} now?", answer=f"Answer {number}.")
    given = [*map(accepted, range(250)), near, *CORRECTIONS]
    outcome = run(tmp_path, given, near_duplicates=0.6)
    assert not {near.id, accepted(number).id} & set(outcome.kept)
    assert len({near.id, accepted(number).id} & apart(outcome, given)) == 1


def test_what_the_same_conversation_went_on_to_is_not_trained_on_either(tmp_path: Path) -> None:
    number, other = marked(), unmarked(500)
    talk = [accepted(number, conversation="conv_1"), accepted(other, conversation="conv_1")]
    given = [
        *(accepted(n) for n in range(250) if n != number),
        *talk,
        *CORRECTIONS,
    ]
    outcome = run(tmp_path, given, near_duplicates=1)
    assert talk[0].id in apart(outcome, given)
    assert talk[1].id not in [*outcome.kept, *apart(outcome, given)]


def test_what_was_corrected_is_no_old_skill(tmp_path: Path) -> None:
    number = marked()
    correction = example(
        9100, asked=f"{asked(number)[:-1]} now?", answer="Something else.", conversation="conv_2"
    )
    same_talk = accepted(number, conversation="conv_2")
    given = [*(accepted(n) for n in range(250) if n != number), same_talk, correction]
    outcome = run(tmp_path, given, near_duplicates=1)
    assert correction.id in outcome.kept
    assert same_talk.id not in [*outcome.kept, *apart(outcome, given)]


def test_of_a_short_history_all_is_replayed(tmp_path: Path) -> None:
    given = [*map(accepted, range(49)), *CORRECTIONS]
    assert apart(run(tmp_path, given, near_duplicates=1), given) == set()


@pytest.mark.parametrize("off", ["share", "own cases"])
def test_nothing_is_kept_apart_where_that_is_not_wanted(
    tmp_path: Path, off: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [*map(accepted, range(250)), *CORRECTIONS]
    if off == "own cases":
        own = ASSISTANT.model_copy(update={"forgetting_cases": "own.jsonl"})
        monkeypatch.setattr("tests.tuning.dataset.preparing.ASSISTANT", own)
    share = {"kept_apart": 0} if off == "share" else {}
    assert apart(run(tmp_path, given, near_duplicates=1, **share), given) == set()


def test_ones_own_cases_of_old_skills_never_enter_training(tmp_path: Path) -> None:
    file = tmp_path / "old.jsonl"
    line = '{"messages": [{"role": "user", "content": "How do I pay bill 3?"}], "reference": "So."}'
    file.write_text(f"\n{line}\n")
    own = ASSISTANT.model_copy(update={"forgetting_cases": str(file)})
    cases = read_cases(own, least=0.8)
    folder = tmp_path / "runs"
    folder.mkdir()
    with pytest.raises(LeakedCases, match="line 2 of the forgetting cases"):
        run(folder, CORRECTIONS, cases=cases, near_duplicates=1)


def test_a_snapshot_holds_what_is_kept_apart_in_a_file_of_its_own(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, tmp_path: Path
) -> None:
    teach(sqlite, lessons(30))
    accept(sqlite, 200)
    wanted = Order(assistant.model_copy(update={"data": {"near_duplicates": 1}}), Recipe())
    dataset = snapshot.take(sqlite, artifacts, wanted, scratch=tmp_path / "scratch")
    folder = artifacts.fetch(dataset.path)
    held = {row.id for row in read_rows(folder / KEPT_APART)}
    keys = {
        f"ex_accepted_{n:03d}": TrainingExample(
            "", ExampleSource.ACCEPTED, (Message(Role.CUSTOMER, asked(n)),), "", utc_now()
        ).prompt_key
        for n in range(200)
    }
    assert held == {name for name, key in keys.items() if is_kept_apart(key, share=SHARE)}
    others = {row.id for name in (TRAIN, HELD_OUT) for row in read_rows(folder / name)}
    assert held
    assert not held & others
    with sqlite.read() as session:
        rows = session.query(DatasetExample).filter_by(dataset_id=dataset.id, split="kept_apart")
        assert {row.example_id for row in rows} == held


def test_erasure_takes_a_customer_out_of_what_is_kept_apart(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, tmp_path: Path
) -> None:
    accept(sqlite, 200)
    teach(sqlite, lessons(30))
    wanted = Order(assistant.model_copy(update={"data": {"near_duplicates": 1}}), Recipe())
    dataset = snapshot.take(sqlite, artifacts, wanted, scratch=tmp_path / "scratch")
    first, *others = (row.id for row in read_rows(artifacts.fetch(dataset.path) / KEPT_APART))
    done = rewrite(
        sqlite, artifacts, dataset, gone={first}, at=utc_now(), scratch=tmp_path / "scratch"
    )
    assert done.lessons == 1
    folder = artifacts.fetch(f"datasets/{done.new}")
    assert [row.id for row in read_rows(folder / KEPT_APART)] == others
