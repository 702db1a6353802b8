"""What agents write to the bot is understood, whatever they write."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.asking.question_grammar import Help, Known, Question, Unclear, understand

VERSIONS = {
    "support-3f9c2a71d0e4": "support",
    "support-3f1b00000000": "support",
    "support-base": "support",
    "writer-77aa12345678": "writer",
    "writer-base": "writer",
}
SUPPORTS = {version: name for version, name in VERSIONS.items() if name == "support"}
BOTH = Known(
    assistants=("support", "writer"),
    versions=VERSIONS,
    champions={"support": "support-base"},
    arms={"support": {"A": "support-base", "B": "support-3f9c2a71d0e4"}},
)
KNOWN = Known(BOTH.assistants, VERSIONS, BOTH.champions, BOTH.arms, here="support")
NUMBERED = Known(
    BOTH.assistants,
    VERSIONS,
    BOTH.champions,
    numbers={"support-base": 1, "support-3f1b00000000": 2, "support-3f9c2a71d0e4": 3}
    | {"writer-base": 1, "writer-77aa12345678": 2},
    here="support",
)
Q = "where is my card?"
NEW, OLD, BASE = "support-3f9c2a71d0e4", "support-3f1b00000000", "support-base"


@pytest.mark.parametrize(
    ("text", "versions", "words"),
    [
        (Q, (BASE,), Q),
        (f"support: {Q}", (BASE,), Q),
        (f"Support : {Q}", (BASE,), Q),
        (f"ask version support-3f9c2a71d0e4 {Q}", (NEW,), Q),
        (f"Ask version support-3f9c: {Q}", (NEW,), Q),
        (f"ask support-3f9c, {Q}", (NEW,), Q),
        (f"ask `support-3f9c` {Q}", (NEW,), Q),
        (f"try 3f9c {Q}", (NEW,), Q),
        (f"ask v3f9c {Q}", (NEW,), Q),
        (f"ask version 3f9c:\n{Q}", (NEW,), Q),
        (f"3f9c: {Q}", (NEW,), Q),
        (f"support-3f9 {Q}", (NEW,), Q),
        (f"support: ask champion {Q}", (BASE,), Q),
        (f"champion: {Q}", (BASE,), Q),
        (f"ask A B {Q}", (BASE, NEW), Q),
        (f"ask version B {Q}", (NEW,), Q),
        (f"compare support-3f9c and support-3f1b: {Q}", (NEW, OLD), Q),
        (f"compare 3f9c vs. 3f1b {Q}", (NEW, OLD), Q),
        (f"ask versions 3f9c, 3f1b {Q}", (NEW, OLD), Q),
        (f"compare 3f9c with champion: {Q}", (NEW, BASE), Q),
        (f"compare 3f9c: {Q}", (NEW, BASE), Q),
        (f"support-3f9c vs support-base: {Q}", (NEW, BASE), Q),
        (f"ask 3f9c and {Q}", (NEW,), f"and {Q}"),
        ("ask for a refund", (BASE,), "ask for a refund"),
        ("Ask A question about cards", (BASE,), "Ask A question about cards"),
        ("try again please", (BASE,), "try again please"),
        ("compare the two cards", (BASE,), "compare the two cards"),
        ("asking: why?", (BASE,), "asking: why?"),
        ("support-related: why?", (BASE,), "support-related: why?"),
        ("Hello there", (BASE,), "Hello there"),
    ],
)
def test_versions_are_read_off_the_beginning(
    text: str, versions: tuple[str, ...], words: str
) -> None:
    assert understand(text, KNOWN) == Question("support", versions, words)


@pytest.mark.parametrize(
    ("text", "versions", "words"),
    [
        (f"support: ask version 3: {Q}", (NEW,), Q),
        (f"ask version 3: {Q}", (NEW,), Q),
        (f"ask version 3 {Q}", (NEW,), Q),
        (f"ask v3 {Q}", (NEW,), Q),
        (f"v3: {Q}", (NEW,), Q),
        (f"ask 3: {Q}", (NEW,), Q),
        (f"compare 3 2: {Q}", (NEW, OLD), Q),
        (f"compare 3 and 1 {Q}", (NEW, BASE), Q),
        (f"compare 3 champion: {Q}", (NEW, BASE), Q),
        (f"compare v3 with 3f1b: {Q}", (NEW, OLD), Q),
        (f"compare 3: {Q}", (NEW, BASE), Q),
        ("ask version 3 2 cards are lost", (NEW,), "2 cards are lost"),
        ("compare 2 cards: silver and gold", (BASE,), "compare 2 cards: silver and gold"),
        ("try 3 times", (BASE,), "try 3 times"),
        ("1: my card, 2: my PIN", (BASE,), "1: my card, 2: my PIN"),
    ],
)
def test_versions_are_named_by_number_where_no_amount_is_meant(
    text: str, versions: tuple[str, ...], words: str
) -> None:
    named = replace(NUMBERED, assistants=("support",), versions=SUPPORTS)
    assert understand(text, named) == Question("support", versions, words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"ask version 9: {Q}", "no version `9`. There are: version 3 (`support-3f9c2a71d0e4`)"),
        (f"compare 3 9: {Q}", "no version `9`"),
        (f"compare 3 3: {Q}", "Both are version 3 (support-3f9c2a71d0e4)"),
        (f"ask version 2: {Q}", "`2` fits several versions: version 2 (`support-3f1b00000000`)"),
        ("ask version 3", "such as `version 3: …`"),
    ],
)
def test_a_number_that_names_none_or_several_is_said_to(text: str, told: str) -> None:
    answer = understand(text, NUMBERED)
    assert isinstance(answer, Unclear)
    assert told in answer.sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"ask version 9999 {Q}", "`support-3f9c2a71d0e4`"),
        (f"ask support-dead {Q}", "no version `support-dead`"),
        (f"ask version please {Q}", "no version `please`"),
        (f"ask support-3f {Q}", "fits several versions: `support-3f9c2a71d0e4`, `support-3f1b"),
        (f"compare 3f9c 3f9c {Q}", "Both are support-3f9c2a71d0e4"),
        (f"compare champion: {Q}", "Both are support-base"),
        (f"compare 3f9c 77aa {Q}", "belong to different assistants"),
        (f"writer: {Q}", "writer serves no version yet"),
        ("ask 3f9c", "What shall I ask?"),
        ("support:", "What shall I ask?"),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_write(text: str, told: str) -> None:
    answer = understand(text, KNOWN)
    assert isinstance(answer, Unclear)
    assert told in answer.sentence


def test_with_several_assistants_one_must_be_named() -> None:
    asked = understand(Q, BOTH)
    assert isinstance(asked, Unclear)
    assert "Which assistant?" in asked.sentence
    assert understand(f"ask 77aa {Q}", BOTH) == Question("writer", ("writer-77aa12345678",), Q)
    assert isinstance(understand(f"ask champion {Q}", BOTH), Unclear)


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP", "?", "hello"])
def test_who_does_not_know_how_to_ask_is_told(text: str) -> None:
    assert understand(text, KNOWN) == Help()


def test_a_thread_goes_on_with_its_versions_until_another_is_named() -> None:
    going_on = Known(
        BOTH.assistants, VERSIONS, BOTH.champions, BOTH.arms, "writer", going_on=(NEW, OLD)
    )
    assert understand(Q, going_on) == Question("support", (NEW, OLD), Q)
    assert understand(f"ask support-base {Q}", going_on) == Question("support", (BASE,), Q)
    assert understand(f"support: {Q}", going_on) == Question("support", (NEW, OLD), Q)


def test_a_question_may_be_left_out_where_one_is_known_already() -> None:
    assert understand("", KNOWN, may_be_empty=True) == Question("support", (BASE,), "")
    assert understand("ask 3f9c", KNOWN, may_be_empty=True) == Question("support", (NEW,), "")


@given(st.text(max_size=60))
def test_any_text_is_understood_or_answered(text: str) -> None:
    answer = understand(text, KNOWN)
    if isinstance(answer, Question):
        assert answer.words
        assert answer.words in text
        assert set(answer.versions) <= VERSIONS.keys()
        assert 1 <= len(answer.versions) <= 2


@given(
    st.sampled_from([NEW, OLD]),
    st.integers(min_value=11, max_value=20),
    st.from_regex(r"[A-Z][a-z ]{0,20}\?", fullmatch=True),
    st.sampled_from(["ask ", "ask version ", "Try ", ""]),
    st.sampled_from([" ", ": ", ", "]),
)
@example(NEW, 11, "A?", "ask ", ", ")
def test_every_unique_beginning_of_a_name_is_enough(
    version: str, letters: int, words: str, command: str, after: str
) -> None:
    asked = understand(f"{command}{version[:letters]}{after}{words}", KNOWN)
    assert asked == Question("support", (version,), words)


@given(st.text(alphabet="bcdefgh ijklmnopqrstuvwxyz", min_size=1, max_size=40))
def test_a_question_without_names_is_asked_unchanged(words: str) -> None:
    asked = understand(f"Why {words}", KNOWN)
    assert asked == Question("support", (BASE,), f"Why {words}".strip())
