"""Web pages: what a visitor reads, and the questions that they answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.sources.documents.blocks import page_text, pairs, sections
from tuning.sources.documents.html import declared_pairs, read_html
from tuning.sources.documents.question_lines import mark_questions

PAGE = """<!doctype html><html><head><title>Help – Alder Bank</title><style>p{}</style></head>
<body><header><a href=/>Home</a></header><nav>Menu</nav><div class="cookie-banner">Accept</div>
<main><h1>Help   centre</h1><p>Welcome.<br>Ask <b>us</b>.</p>
<h2>Cards</h2><h3>1. Where is my card?</h3><p>It takes <em>three</em> days.</p>
<ol><li>Wait<li>Call us<ul><li>by phone</ul></ol>
<details><summary>Can I change my PIN?</summary>In the app: <p>Cards &gt; PIN.</p></details>
<dl><dt>What does it cost?<dd>Nothing.<dt>How long?<dd>A day.</dl>
<p><strong>Who can help?</strong><br>We can.</p><div hidden>Secret</div><button>Buy</button>
<h2><button>Do you ship abroad?</button></h2><table><tr><th>To<th>Days<tr><td>DE<td>2</table>
<h2>About us</h2><p>We are a bank.</p><script>track()</script></main>
<footer>© 2026</footer></body></html>"""


def test_navigation_scripts_and_footers_are_left_out() -> None:
    title, blocks = read_html(PAGE)
    text = page_text(blocks)
    assert title == "Help centre"
    for noise in ("Home", "Menu", "Accept", "Secret", "Buy", "track", "2026", "p{}"):
        assert noise not in text
    assert "# Help centre\n\nWelcome.\nAsk us.\n\n## Cards" in text
    assert "1. Wait\n2. Call us\n  - by phone" in text
    assert "To | Days\nDE | 2" in text


def test_every_kind_of_question_is_found_with_its_answer_and_section() -> None:
    found = pairs(mark_questions(read_html(PAGE)[1]))
    assert {pair.question: pair.answer for pair in found} == {
        "Where is my card?": "It takes three days.\n\n1. Wait\n2. Call us\n  - by phone",
        "Can I change my PIN?": "In the app:\n\nCards > PIN.",
        "What does it cost?": "Nothing.",
        "How long?": "A day.",
        "Who can help?": "We can.",
        "Do you ship abroad?": "To | Days\nDE | 2",
    }
    assert found[0].section == "Help centre › Cards › 1. Where is my card?"
    assert found[-1].section == "Help centre › Do you ship abroad?"


def test_sections_are_by_headings() -> None:
    found = {s.name: s.text for s in sections(page_text(read_html(PAGE)[1]))}
    assert found["Help centre"] == "Welcome.\nAsk us."
    assert found["Help centre › About us"] == "We are a bank."


def test_what_a_page_declares_to_search_engines_is_found() -> None:
    page = """<script type="application/ld+json">{"@graph": [{"@type": "FAQPage", "mainEntity": [
    {"@type": ["Question"], "name": "Is it  free?", "acceptedAnswer":
    {"@type": "Answer", "text": "<p>Yes, <b>always</b>.</p><ul><li>a</li></ul>"}},
    {"@type": "Question", "name": "No answer?"}, {"@type": "Question", "name": 7}]}]}</script>
    <script type="application/ld+json">{broken</script>"""
    assert [(p.question, p.answer) for p in declared_pairs(page)] == [
        ("Is it free?", "Yes, always.\n\n- a")
    ]


def test_a_page_without_main_is_read_without_its_own_header() -> None:
    page = "<header>Logo</header><article><header><h1>Tea</h1></header><p>Hot.</p></article>"
    assert page_text(read_html(page)[1]) == "# Tea\n\nHot."
    assert (
        page_text(read_html("<header>Logo</header><p>Hot.</p><p>Cold.</p>")[1]) == "Hot.\n\nCold."
    )


@pytest.mark.parametrize("page", ["", "<html>", "<p>", "<!-- x -->", "</div>"])
def test_an_empty_page_has_no_blocks(page: str) -> None:
    assert page_text(read_html(page)[1]) == ""


def test_code_keeps_its_lines_and_is_no_heading() -> None:
    text = page_text(read_html("<h1>A</h1><pre>\n# not a heading\n  code\n</pre>")[1])
    assert text == "# A\n\n # not a heading\n  code"
    assert [s.path for s in sections(text)] == [("A",)]


def test_a_page_nested_ten_thousand_deep_is_read() -> None:
    page = "<div>" * 10_000 + "deep" + "</div>" * 10_000
    assert "deep" in page_text(read_html(page)[1])


@given(st.text(alphabet=st.sampled_from("<>/abdhlpstu123 =\"'?!-&;\n"), max_size=300))
def test_no_markup_ends_in_an_error(page: str) -> None:
    blocks = mark_questions(read_html(page)[1])
    pairs(blocks)
    sections(page_text(blocks))
