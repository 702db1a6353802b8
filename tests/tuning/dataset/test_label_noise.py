"""Corrections that others disagree with are found; what cannot be judged is said to be so."""

import random
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuning.dataset import label_noise
from tuning.dataset.answer_groups import answer_groups
from tuning.dataset.label_noise import Noise, Taught, find_noise
from tuning.dataset.options import Features
from tuning.dataset.rows import Row

TOPICS = {
    "card": ("Where is my card, it has not arrived", "Cards take five days."),
    "pin": ("I forgot my PIN and need a new one", "Choose a new PIN in the app."),
    "rate": ("Which exchange rate do you use abroad", "We use the rate of the card scheme."),
}
_EXTRA = ("please", "today", "again", "still", "thanks", "hello", "urgent", "really", "now")


def asked(topic: str, number: int) -> str:
    rng = random.Random(f"{topic}{number}")
    words = TOPICS[topic][0].split()
    words.insert(rng.randrange(len(words)), rng.choice(_EXTRA))
    words.remove(rng.choice(words))
    return " ".join(words)


def taught(of_each: int = 8, wrong: dict[str, str] | None = None) -> list[Taught]:
    """Questions of three topics with their answers, but for those given as wrong: id → topic."""
    found = []
    for topic in TOPICS:
        for number in range(of_each):
            name = f"{topic}-{number}"
            answer = TOPICS[(wrong or {}).get(name, topic)][1]
            found.append(Taught(name, asked(topic, number), answer))
    return found


def by_words(examples: Sequence[Taught], **options: float) -> Noise:
    return find_noise(examples, features=Features.WORDS, **options)  # type: ignore[arg-type]


def test_a_wrong_answer_is_found_with_the_one_that_is_expected() -> None:
    noise = by_words(taught(wrong={"card-3": "rate"}))
    [one] = noise.candidates
    assert (one.id, one.expected) == ("card-3", "Cards take five days.")
    assert one.expected_id.startswith("card-")
    assert one.why == f"{one.voters} of the {one.neighbours} questions most like it are answered so"
    assert set(one.detail) == {"score", "voters", "of"}


def test_nothing_is_found_where_all_agree() -> None:
    noise = by_words(taught())
    assert noise.candidates == []
    assert (noise.judged, noise.unjudged, noise.answers) == (24, 0, 3)


def test_whether_a_person_should_answer_is_part_of_the_answer() -> None:
    examples = taught()
    examples[2] = Taught("card-2", examples[2].question, examples[2].answer, escalates=True)
    examples[10] = Taught("pin-2", examples[10].question, examples[2].answer, escalates=True)
    found = {one.id: one for one in by_words(examples).candidates}
    assert set(found) == {"card-2", "pin-2"}
    assert not found["card-2"].expects_escalation


def test_an_answer_that_is_given_once_cannot_be_judged_and_that_is_said() -> None:
    examples = taught()
    examples[0] = Taught("card-0", examples[0].question, "Something that nobody else says.")
    noise = by_words(examples)
    assert noise.unjudged == 1
    assert noise.candidates == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_too_few_to_compare_are_no_error(number: int) -> None:
    noise = by_words(taught()[:number])
    assert (noise.candidates, noise.judged) == ([], 0)


@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_examples_come_changes_nothing(rng: random.Random) -> None:
    examples = taught(wrong={"card-3": "rate", "pin-1": "card"})
    shuffled = list(examples)
    rng.shuffle(shuffled)
    assert by_words(shuffled) == by_words(examples)


def test_of_frequent_answers_some_are_left_out_and_that_is_said() -> None:
    frequent = [Taught(f"n-{n}", asked("card", n), TOPICS["card"][1]) for n in range(300)]
    noise = by_words([*frequent, *taught(4)[4:]], most=20)
    assert (noise.judged, noise.left_out) == (20, 288)


def test_memory_holds_a_sample_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_noise, "MOST_READ", 100)

    def stream(number: int) -> "list[Taught]":
        return (  # type: ignore[return-value]
            Taught(f"e{n}", f"q{n}" + " " * 4000, f"answer {n % 3}") for n in range(number)
        )

    tracemalloc.start()
    noise = by_words(stream(2_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert noise.judged + noise.unjudged + noise.left_out == 2_000
    assert noise.judged == 100
    assert peak < 4_000_000


def test_answers_that_say_the_same_are_one_label_and_other_figures_are_not() -> None:
    same = ["Cards take five days.", "cards take five days", "Cards take five days!"]
    other = [
        "Cards take nine days, sorry.",
        "The fee is 2 euros a month",
        "The fee is 3 euros a month",
    ]
    assert answer_groups([*same, *other, "", "🙂"]) == [0, 0, 0, 1, 2, 3, 4, 5]


def test_a_card_names_the_clearest_and_counts_all() -> None:
    noise = by_words(taught(wrong={"card-3": "rate", "pin-1": "card"}))
    shown = noise.as_json(most=1)
    assert (shown["found"], len(shown["candidates"]), shown["features"]) == (2, 1, "words")
    assert shown["candidates"][0]["expected_id"]


def test_rows_without_a_right_answer_and_synthetic_ones_have_no_vote() -> None:
    prompt = ({"role": "system", "content": "s"}, {"role": "user", "content": "q"})
    row = Row("ex_1", "flag", prompt, (False, False), "a")
    assert Taught.of(row) == Taught("ex_1", "q", "a")
    assert Taught.of(Row("ex_2", "declined", row.prompt, row.learn, None)) is None
    assert Taught.of(Row("s", "flag", row.prompt, row.learn, "a", synthetic_of="ex_1")) is None


def test_a_few_examples_are_compared_by_their_words() -> None:
    assert find_noise(taught(), features=Features.AUTO).features is Features.WORDS


@pytest.mark.slow
def test_sentences_find_it_too() -> None:
    noise = find_noise(taught(40, wrong={"card-3": "rate"}), features=Features.AUTO)
    assert noise.features is Features.SENTENCES
    assert [one.id for one in noise.candidates] == ["card-3"]
