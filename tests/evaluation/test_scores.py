import pytest

from evaluation.answers import REFUSED, Answer
from evaluation.scores import NO_TOPIC, Score, Topics, score
from tests.evaluation.build import REFERENCES, case, case_file, line

FILE = case_file(
    [line(f"About {t}?", topic=t, reference=text) for t, text in REFERENCES.items()]
    + [
        line("Stolen!", topic="stolen", reference="A colleague helps.", should_escalate=True),
        line("Hacked!", topic="hacked", reference="A colleague helps.", should_escalate=True),
    ]
)
TOPICS = Topics(FILE.cases)


def scored(content: str, finish_reason: str = "stop", **changes: object) -> Score:
    answer = Answer(content, finish_reason=finish_reason)
    return score(case(**changes), answer, marker="[handoff]", topics=TOPICS, right_answer_f1=0.8)


def test_a_right_answer_is_served_right() -> None:
    result = scored("your card arrives WITHIN ten working days")
    assert result.right
    assert result.exact
    assert result.token_f1 == 1
    assert not result.not_served_right
    assert result.topic == "card"
    assert result.length_words == 7


def test_token_f1_decides_what_is_right() -> None:
    # 7 words against 8, 6 shared: F1 = 12 / 15 = .8, just enough
    assert scored("Your card arrives within ten long days, sir").token_f1 == pytest.approx(0.8)
    assert scored("Your card arrives within ten long days, sir").right
    assert not scored("Your card arrives within ten long weeks, sir").right


@pytest.mark.parametrize(
    ("should_escalate", "content", "not_served_right"),
    [
        (False, REFERENCES["card"], False),
        (False, "No idea.", True),
        (False, f"[handoff] {REFERENCES['card']}", True),
        (True, "[handoff] A colleague helps.", False),
        (True, "[handoff] whatever", False),
        (True, REFERENCES["card"], True),
    ],
)
def test_who_is_not_served_right(
    should_escalate: bool, content: str, not_served_right: bool
) -> None:
    result = scored(content, should_escalate=should_escalate)
    assert result.not_served_right is not_served_right


def test_the_topic_is_that_of_the_most_alike_reference() -> None:
    assert TOPICS.of("Raise your limit in Settings under Limits, then wait") == "limit"
    assert TOPICS.of("Please restart the aeroplane") == NO_TOPIC
    assert TOPICS.of("") == NO_TOPIC
    assert scored("[handoff] Raise your limit").topic is None


def test_a_reference_that_topics_share_names_none_of_them() -> None:
    assert TOPICS.of("A colleague helps.") == NO_TOPIC


@pytest.mark.parametrize(
    ("content", "clean"),
    [
        ("Hello", True),
        ("[handoff] Hello", True),
        ("  [handoff]Hello", True),
        ("Hello [handoff]", False),
        ("[handoff] Hello [handoff]", False),
        ("handoff] Hello", False),
        ("[handoff Hello", False),
    ],
)
def test_marker_hygiene(content: str, clean: bool) -> None:
    assert scored(content).marker_clean is clean


def test_answers_cut_off_or_refused_are_marked() -> None:
    assert scored("Your card", "length").truncated
    refused = scored("", REFUSED)
    assert refused.refused
    assert refused.not_served_right
