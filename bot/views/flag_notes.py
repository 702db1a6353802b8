"""What an agent is told of their flag, with what they may do about it."""

from bot import wording
from bot.views.content import Button, Content, buttons, content, line


def reaction_note(turn_id: str) -> Content:
    """A reaction flagged an answer: it is saved, and may be completed or taken back."""
    sentence = wording.review.FLAG_BY_REACTION
    details = Button(wording.review.FLAG_ADD_DETAILS, "flag_answer", turn_id, style="primary")
    return content(sentence, [line(sentence), buttons("flag", details, _withdraw(turn_id))])


def stays_note(turn_id: str) -> Content:
    """The reaction was taken away, but the flag says more than it did."""
    sentence = wording.review.FLAG_STAYS
    return content(sentence, [line(sentence), buttons("flag", _withdraw(turn_id))])


def _withdraw(turn_id: str) -> Button:
    return Button(wording.review.WITHDRAW_FLAG, "withdraw_flag", turn_id)
