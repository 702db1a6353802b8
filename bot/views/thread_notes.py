"""What is said in an escalation's thread about who has it or should: never to the customer."""

from datetime import datetime

from bot import wording
from bot.text import who
from bot.views.content import Content, content, line, moment


def asked_note(*, assignee: str, by: str, is_owner: bool) -> Content:
    """Somebody is asked to take over, by a colleague or by the one who has it."""
    words = wording.conversations
    sentence = words.ASKED_BY_OWNER if is_owner else words.ASKED_TO_TAKE_OVER
    return _note(sentence.format(assignee=who(assignee), by=who(by)))


def passed_note(*, owner: str, former: str) -> Content:
    """Another agent has taken over from the one who had it."""
    return _note(wording.conversations.PASSED.format(owner=who(owner), former=who(former)))


def reminder_note(*, opened_at: datetime, assignee: str | None) -> Content:
    """Nobody has taken over for too long."""
    words, since = wording.conversations, moment(opened_at)
    if assignee is None:
        return _note(words.REMINDER.format(since=since))
    return _note(words.REMINDER_ASKED.format(assignee=who(assignee), since=since))


def on_call_note(*, on_call: str, since: datetime | None, others: int) -> Content:
    """Still nobody: those on call are pinged, once for all who wait.

    Args:
        on_call: A Slack user or user group.
        since: Since when the customer of this thread waits; None where somebody has come.
        others: How many more wait too long.
    """
    words, number = wording.conversations, f"{others:,}"
    if since is None:
        return _note(words.ON_CALL_ONLY_OTHERS.format(on_call=who(on_call), others=number))
    sentence = words.ON_CALL_OTHERS if others else words.ON_CALL
    return _note(sentence.format(on_call=who(on_call), since=moment(since), others=number))


def _note(sentence: str) -> Content:
    return content(sentence, [line(sentence)])
