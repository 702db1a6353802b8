"""The handoff marker: how the model says that a person must answer, in a whole text.

(`records/handoff_filter.py` does the same for a text that arrives in pieces.)
"""


def with_marker(sentence: str, *, marker: str) -> str:
    """What the model is taught to say when a person must take over."""
    return f"{marker} {sentence}".strip()


def without_marker(text: str, *, marker: str) -> tuple[bool, str]:
    """Whether an answer asks for a handoff, and what the customer may read of it.

    The marker counts wherever it stands, and is never part of what is read.
    """
    if marker not in text:
        return False, text.strip()
    return True, " ".join(" ".join(text.split(marker)).split())
