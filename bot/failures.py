"""What a failed call to Slack means for the message that it was about."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from records.errors import ConfigurationError, UnderstudyError


class Meaning(StrEnum):
    """What to do next."""

    WAIT = "wait"
    """Slack said how long to wait; nothing was sent."""
    RETRY = "retry"
    """Nothing was sent; try again, later and later."""
    UNSURE = "unsure"
    """It may have arrived: ask Slack before sending again."""
    MEND = "mend"
    """A person must mend something (token, scope, channel); then it goes on."""
    GIVE_UP = "give_up"
    """This message can never be sent."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call, understood."""

    meaning: Meaning
    sentence: str
    wait_seconds: float = 0.0


_MEND = {
    "invalid_auth": "Slack refuses the token: set SLACK_BOT_TOKEN rightly.",
    "not_authed": "Slack got no token: set SLACK_BOT_TOKEN.",
    "token_revoked": "The token was revoked: install the app again and set SLACK_BOT_TOKEN.",
    "token_expired": "The token has expired: install the app again and set SLACK_BOT_TOKEN.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "missing_scope": "The app lacks a scope ({needed}): install it again with "
    "deploy/slack/manifest.yaml.",
    "not_in_channel": "The bot is not in the channel: /invite @Understudy there.",
    "channel_not_found": "The bot sees no such channel: invite it there, or mend slack.channel in "
    "the assistant's file.",
    "is_archived": "The channel is archived: name another under slack.channel in the assistant's "
    "file.",
}
_MAY_HAVE_ARRIVED = {"internal_error", "fatal_error", "request_timeout"}
_TRANSIENT = {"service_unavailable", "team_added_to_org"}
_TOO_MANY = 429
_SERVER = 500


def understood(error: Exception) -> Failure | None:
    """What an exception of a call means; None where it isn't about Slack at all."""
    if isinstance(error, SlackApiError):
        return _refused(error)
    if isinstance(error, ConfigurationError):
        return Failure(Meaning.MEND, str(error))
    if isinstance(error, UnderstudyError):
        return Failure(Meaning.RETRY, str(error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(Meaning.RETRY, f"Slack cannot be reached: {error}.")
    if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError | SlackClientError | OSError):
        return Failure(Meaning.UNSURE, f"The call to Slack broke off: {type(error).__name__}.")
    return None


def _refused(error: SlackApiError) -> Failure:
    response = error.response
    status = getattr(response, "status_code", 200)
    if status == _TOO_MANY:
        wait = float(getattr(response, "headers", {}).get("Retry-After", 1))
        return Failure(Meaning.WAIT, "Slack asks to wait.", wait)
    code = str(response.get("error", ""))
    if code in _MAY_HAVE_ARRIVED or status >= _SERVER:
        return Failure(Meaning.UNSURE, f"Slack failed: {code or status}.")
    if code in _MEND:
        return Failure(Meaning.MEND, _MEND[code].format(needed=response.get("needed", "?")))
    if code in _TRANSIENT or code == "ratelimited":
        return Failure(Meaning.RETRY, f"Slack is busy: {code}.")
    details = (response.get("response_metadata") or {}).get("messages") or []
    return Failure(Meaning.GIVE_UP, " ".join([f"Slack refuses it: {code}.", *map(str, details)]))
