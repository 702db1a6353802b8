"""Markdown and plain text: headings, lists, and questions in the ways people write them."""

from tuning.sources.documents.blocks import page_text, pairs
from tuning.sources.documents.markdown import read_markdown
from tuning.sources.documents.plain import read_plain
from tuning.sources.documents.question_lines import mark_questions

MARKDOWN = """---
title: "Returns"
tags: [a]
---
# Returns & refunds

You may *return* [things](http://x) in 30 days.

**How do I return something?**
Print the label.

Q: Is it free?
A: Yes.
It always is.

Frage 2: Wie lange dauert es?

Antwort: Eine Woche

<details><summary>Where?</summary>

In any *shop*.

</details>

```
# a comment
```
"""


def test_markdown_is_read_without_its_marks() -> None:
    title, blocks = read_markdown(MARKDOWN)
    text = page_text(blocks)
    assert title == "Returns"
    assert text.startswith("# Returns & refunds\n\nYou may return things in 30 days.")
    assert " # a comment" in text


def test_questions_in_markdown_are_found_however_they_are_written() -> None:
    found = pairs(mark_questions(read_markdown(MARKDOWN)[1]))
    assert [(pair.question, pair.answer) for pair in found] == [
        ("How do I return something?", "Print the label."),
        ("Is it free?", "Yes.\n\nIt always is."),
        ("Wie lange dauert es?", "Eine Woche"),
        ("Where?", "In any shop."),
    ]


PLAIN = """Delivery
========

How long does it take?

Three days.

Q1. Where is it?
A1. On its way

- one
- two

Anything else
-------------
Ask us. Would you?
We answer.
"""


def test_plain_text_has_underlined_titles_and_questions_on_their_own_lines() -> None:
    title, blocks = read_plain(PLAIN)
    assert title == "Delivery"
    blocks = mark_questions(blocks)
    assert [(pair.question, pair.answer) for pair in pairs(blocks)] == [
        ("How long does it take?", "Three days."),
        ("Where is it?", "On its way\n\n- one\n- two"),
    ]
    assert page_text(blocks).endswith("## Anything else\n\nAsk us. Would you?\nWe answer.")


def test_a_question_without_an_answer_is_no_pair() -> None:
    for text in ("# Why?", "Q: Why?\nQ: How?", "A: Because.", "# Why?\n\n# How?\n\n# Tea"):
        assert pairs(mark_questions(read_markdown(text)[1])) == []


def test_a_question_ends_where_another_subject_begins() -> None:
    text = "## Is it free?\n\nYes.\n\n### In detail\n\nAlways.\n\n## Shops\n\nMany."
    (pair,) = pairs(read_markdown(text)[1])
    assert pair.answer == "Yes.\n\nIn detail\n\nAlways."
