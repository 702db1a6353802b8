"""What a person typed in Slack, as the plain words that a customer reads; what is a note; files."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incoming.message import Message, moment_of, named
from bot.incoming.rich_text import words_of
from bot.text import is_note, spoken
from records.ids import utc_now

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "unicode", "url", "style", "indent"]),
            inner,
        )
    ),
    max_leaves=12,
)


def typed(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"text": "not this", "blocks": [{"type": "rich_text", "elements": list(elements)}]}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, "style": style}


@pytest.mark.parametrize(
    ("element", "words"),
    [
        (text("bold", bold=True), "bold"),
        ({"type": "emoji", "name": "wave", "unicode": "1f44b"}, "👋"),
        ({"type": "emoji", "name": "flag-de", "unicode": "1f1e9-1f1ea"}, "🇩🇪"),
        ({"type": "emoji", "name": "our-logo"}, ""),
        ({"type": "emoji", "name": "odd", "unicode": "zz"}, ""),
        ({"type": "link", "url": "https://a.example"}, "https://a.example"),
        ({"type": "link", "url": "https://a.example", "text": "here"}, "here (https://a.example)"),
        ({"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"}, "a@b.example"),
        ({"type": "user", "user_id": "U0BEN"}, "@colleague"),
        ({"type": "usergroup", "usergroup_id": "S1"}, "@colleague"),
        ({"type": "channel", "channel_id": "C1"}, "#channel"),
        ({"type": "broadcast", "range": "here"}, "@here"),
        ({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "1 May"}, "1 May"),
        ({"type": "color", "value": "#ff0000"}, "#ff0000"),
        ({"type": "something_new", "text": "new"}, "new"),
        ({"type": "something_new"}, ""),
    ],
)
def test_each_element_is_read_as_plain_words(element: dict[str, Any], words: str) -> None:
    assert words_of(typed(section(text("a "), element, text(" b")))) == f"a {words} b"


def test_lists_quotations_and_code_keep_their_shape() -> None:
    bullets = {"type": "rich_text_list", "style": "bullet", "indent": 0}
    inner = {"type": "rich_text_list", "style": "bullet", "indent": 1}
    steps = {"type": "rich_text_list", "style": "ordered", "indent": 0, "offset": 2}
    items = [section(text("one")), section(text("two"))]
    message = typed(
        section(text("Do this:\n")),
        {**bullets, "elements": items},
        {**inner, "elements": items[:1]},
        {**steps, "elements": items},
        {"type": "rich_text_quote", "elements": [text("you said\nso")]},
        {"type": "rich_text_preformatted", "elements": [text("x = 1\n  y = 2")]},
    )
    assert words_of(message).splitlines() == [
        "Do this:", "• one", "• two", "  ◦ one", "3. one", "4. two", "> you said", "> so",
        "x = 1", "  y = 2",
    ]  # fmt: skip


def test_without_rich_text_the_text_counts() -> None:
    assert words_of({"text": "1 &lt; 2, <@U0BEN|ben>", "blocks": []}) == "1 < 2, @ben"
    assert words_of({}) == ""


@given(st.lists(JSON, max_size=4))
def test_whatever_slack_sends_is_read(elements: list[Any]) -> None:
    fitting = [e for e in elements if isinstance(e, dict)]
    assert isinstance(words_of(typed(*(section(e) for e in fitting))), str)


@pytest.mark.parametrize(
    "message",
    [
        "note: a", "NOTE: a", "nOtE:a", "  note : a", "*Note:* a", "_note_: a", "~note:~",
        "`note:`", "&gt; note: a", "• note: a", "- note: a", "1. note: a", "(note: a)",
        "“note: a”", ":memo: note: a", "👀 Note: a", "note\uff1a a", "\u200bnote: a",
        "\uff2e\uff4f\uff54\uff45: a", "```note: a```", "<@U0BEN> note: a", "<@U0BEN|b> note: a",
        "@colleague note: a", "<!here> note: a", "[note]: a", "(note): a", '"note": a',
        "1) note: a", "a) note: a", ":note: a", ":notebook: note: a", "&lt;note&gt;: a",
        "note - : a",
        "note\u200b: a", "note\u2060: a", "note\u00ad: a", "note\u200d: a", "note\u200e: a",
        "note\u200f: a", "n\u0332o\u0332t\u0332e\u0332: a", "\u24dd\u24de\u24e3\u24d4: a",
        "1\ufe0f\u20e3 note: a", "\u3164note: a",
    ],
)  # fmt: skip
def test_notes_are_known_in_any_dress(message: str) -> None:
    assert is_note(message)


@pytest.mark.parametrize(
    "message",
    [
        "Please note: a", "notes: a", "noted", "a note", "", "keynote: a", "note that: a", "note",
        "<@U0BEN> please note: a", ":notebook: a", "@colleague notes: a",
    ],
)  # fmt: skip
def test_other_words_are_no_notes(message: str) -> None:
    assert not is_note(message)


def test_digits_that_python_would_not_read_are_only_words() -> None:
    assert spoken(f"&amp;#{'1' * 5000};") == f"&#{'1' * 5000};"
    assert not is_note(f"&#{'1' * 5000};")


@given(st.text(alphabet=" *_~`>•-\t\n", max_size=6), st.sampled_from(["note:", "NoTe :", "NOTE*:"]))
def test_no_formatting_makes_a_note_something_else(before: str, note: str) -> None:
    assert is_note(f"{before}{note} the customer is rude")


def test_a_note_that_only_its_formatted_form_shows_is_one() -> None:
    event = {**typed(section(text("Note", bold=True), text(": rude"))), "text": "whatever"}
    event |= {"user": "U1", "channel": "C1", "ts": "2.1", "thread_ts": "1.1"}
    message = Message.read(event)
    assert message is not None
    assert message.is_note


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"name": "map.png", "mimetype": "image/png"}, "the picture map.png"),
        ({"name": "terms.pdf", "mimetype": "application/pdf"}, "the document terms.pdf"),
        ({"name": "call.mp3", "mimetype": "audio/mpeg"}, "the recording call.mp3"),
        ({"name": "tour.mp4", "mimetype": "video/mp4"}, "the video tour.mp4"),
        ({"name": "log.txt", "mimetype": "text/plain"}, "the text file log.txt"),
        ({"title": "Untitled"}, "the file Untitled"),
        ({"file_access": "check_file_info"}, "the file without a name"),
    ],
)
def test_files_are_named_by_their_kind(file: dict[str, Any], words: str) -> None:
    assert named([file]) == (words,)


@given(st.text(max_size=300))
def test_no_files_name_pings_or_formats(name: str) -> None:
    (words,) = named([{"name": f"<!channel>*{name}*", "mimetype": "image/png"}])
    assert "<" not in words
    assert "*" not in words.replace("*\u2060", "")


@pytest.mark.parametrize("subtype", ["bot_message", "channel_join", "me_message", "reminder_add"])
def test_what_no_person_wrote_in_a_thread_is_no_message(subtype: str) -> None:
    event = {"user": "U1", "channel": "C1", "ts": "2.1", "thread_ts": "1.1", "text": "hi"}
    assert Message.read(event) is not None
    assert Message.read({**event, "subtype": subtype}) is None
    assert Message.read({**event, "bot_id": "B1"}) is None
    assert Message.read({**event, "thread_ts": None}) is None
    assert Message.read({**event, "ts": "1.1"}) is None


def test_slacks_times_are_read_to_the_microsecond() -> None:
    now = utc_now()
    assert moment_of(f"{now.timestamp():.6f}") == now
    assert moment_of("1795504295.000001") < moment_of("1795504295.000002")
    assert moment_of("1795504295") == moment_of("1795504295.000000")
