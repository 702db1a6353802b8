"""In which channel an escalation's card appears. Pure."""

from records.assistant import SlackOptions, SlackRoute
from records.patterns import pattern_of
from records.states import EscalationReason

_LOOKED_AT = 10_000
"""So many characters of a question are searched: a pattern must not hold up the outbox."""


def routed(options: SlackOptions, *, reason: EscalationReason, asked: str) -> str:
    """The channel of the first route that fits, else the assistant's own.

    Args:
        options: The assistant's.
        reason: Why a person was asked for.
        asked: What the customer last wrote before that.
    """
    fitting = (r.channel for r in options.routes if _fits(r, reason=reason, asked=asked))
    return next(fitting, options.channel)


def _fits(route: SlackRoute, *, reason: EscalationReason, asked: str) -> bool:
    if route.reasons and reason not in route.reasons:
        return False
    return not route.pattern or pattern_of(route.pattern).is_in(asked[:_LOOKED_AT])
