"""Any text, and text of the kinds that steps look for: for property tests."""

from hypothesis import strategies as st

_PIECES = (
    "Hello ", "card", "\n", "\n\n", " ", "> ", ">", "-- ", "--", "&amp;", "&lt;b&gt;", "<p>",
    "</p>", "<br>", "<b", "`", "```", "&#38;", "&nbsp;", "\u200b", "\u200d", "é", "é", "Ã©",
    "â€™", "👍", "\r\n", "\x00", "\ud800", "\u2028", "\u202e", "\xa0",
    "On 1 May 2026 Anna wrote:", "Am 1.5. schrieb X:", "Best regards", "Thanks,", "Anna", "LG",
    "Sent from my iPhone", "From: a", "Sent: b", "To: c", "a@b.example", "+49 170 1234567", "1",
    "2 ", "<EMAIL_1>", "my name is ", "Anna Smith", "https://x.example/a", "[handoff]",
    "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "Hi ", ",", ".", "?", "KD-1234",
)  # fmt: skip


def texts(longest: int = 14) -> st.SearchStrategy[str]:
    """Texts of such pieces, and of any characters at all."""
    pieces = st.lists(st.sampled_from(_PIECES), max_size=longest).map("".join)
    return st.one_of(pieces, st.text(st.characters(), max_size=40))
