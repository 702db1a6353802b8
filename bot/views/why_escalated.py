"""Why a person was asked for, said once: records keep a reason, and its cause in words."""

import re

from bot import wording
from bot.text import literal, who
from records.states import EscalationReason
from records.tables import Escalation

_TOLD_BY_CAUSE = (
    EscalationReason.CUSTOMER,
    EscalationReason.CONFIDENCE,
    EscalationReason.POLICY,
    EscalationReason.FLAG,
)
"""Their causes are sentences that say the reason too."""
_BY = re.compile(r"<@([UW][A-Z0-9]+)> ")
_SHOWN = 200


def why(escalation: Escalation) -> str:
    """Reason and cause in our own mrkdwn, each where it adds something."""
    words, cause = wording.conversations, escalation.cause.strip(" .")
    reason = words.REASONS[escalation.reason]
    reason = reason[0].upper() + reason[1:]
    by_model = escalation.reason is EscalationReason.MODEL
    if not cause or (by_model and cause.endswith(words.CAUSE_SAYS_NO_MORE)):
        return reason  # the version that asked stands in the small print
    if escalation.reason in _TOLD_BY_CAUSE:
        return _by_whom(cause)
    return words.REASON.format(reason=reason, cause=literal(cause, _SHOWN))


def _by_whom(cause: str) -> str:
    """A cause; the agent with whom it begins is named."""
    by = _BY.match(cause)
    return f"{who(by[1])} {literal(cause[by.end() :], _SHOWN)}" if by else literal(cause, _SHOWN)
