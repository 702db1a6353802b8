"""Texts are repaired as a reader would, once and for all, and none takes long."""

import time

import pytest
from hypothesis import given, settings

from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.steps.repair import repair


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("IÂ´m in a cafÃ© &amp; bar", "I´m in a café & bar"),
        ("<p>Hello,</p><p>I can&#39;t <b>log in</b>.<br>Ok</p>", "Hello,\n\nI can't log in.\nOk"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<style>p{color:red}</style>Hi<br/>", "Hi"),
        ("&amp;lt;p&amp;gt;escaped twice&amp;lt;/p&amp;gt;", "escaped twice"),
        ("<a href='https://h.example/?a=1&amp;b=2'>Here</a>.", "Here (https://h.example/?a=1&b=2)."),
        ("<a href='https://h.example'>https://h.example</a><br>", "https://h.example"),
        ("hi\u200b the\xadre\xa0you \u202eevil", "hi there you evil"),
        ("a\r\nb\rc\u2028d \n\n\n\n\te", "a\nb\nc\nd\n\n\te"),
        ("ｗｉｄｅ ﬁne e\u0301", "wide fine é"),
        ("bad \ud800 half", "bad \ufffd half"),
        ("a\x00b\x1bc", "abc"),
    ],
)  # fmt: skip
def test_what_is_broken_is_as_it_was_meant(text: str, wanted: str) -> None:
    assert repair(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Wrap it in a <b> tag, as `<b>x</b>`.",
        "```\n<p>code</p>\n    &amp;\n```",
        "List<String> where a < b && c > d",
        "https://x.example/?a=1&copy=2&lt=3",
        "Write to <EMAIL_1> or <URL_2>",
        "‘curly’ “quotes” – dash … 10³",
        "👨‍👩‍👧 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f می‌خواهم",
        "two  spaces\n    indented",
    ],
)
def test_what_a_reader_means_stays(text: str) -> None:
    assert repair(text) == text


def test_html_stays_where_customers_ask_about_it() -> None:
    assert repair("<p>Why &amp; how?</p>\r\n", html=False) == "<p>Why &amp; how?</p>"


@given(texts())
def test_repairing_what_is_repaired_changes_nothing(text: str) -> None:
    once = repair(text)
    assert repair(once) == once
    once.encode()  # every database and file keeps it


def test_empty_stays_empty() -> None:
    assert repair("") == repair(" \u200b\n") == ""


@settings(deadline=None)
@given(texts())
def test_no_invisible_character_is_left_between_letters(text: str) -> None:
    assert not set(repair(text)) & set("\u200b\u2060\ufeff\xad\x00\r\u202e")


@pytest.mark.parametrize(
    "text",
    ["<a " * 50_000, "<script>" * 20_000, "<p>" * 50_000, "<br>" + "&lt;" * 40_000, "`" * 100_000,
     "<!--" * 40_000, "<a href='" * 20_000, " " * 200_000 + "x", "Ã" * 50_000, "\u200d" * 50_000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    repair(text)
    assert time.perf_counter() - began < 3
