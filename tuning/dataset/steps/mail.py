"""Messages that were mail, without signatures and without the mail that they quote. Pure."""

from collections.abc import Callable, Iterable

from tuning.dataset.steps.quotes import without_quotes
from tuning.dataset.steps.signatures import signature_remover


def mail_cleaner(signatures: Iterable[str]) -> Callable[[str], str]:
    """A function that leaves of a mail what was written for it; never nothing of something.

    Args:
        signatures: The team's own patterns for lines that end a message.

    Raises:
        ValueError: a pattern is no regular expression.
    """
    without_signature = signature_remover(signatures)

    def own_words(text: str) -> str:
        while (shorter := without_signature(without_quotes(text))) != text:
            text = shorter
        return text

    return own_words
