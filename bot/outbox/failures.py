"""What a failed call to Slack means for the message that it was about."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot import wording
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
    """A person must mend something (token, scope, channel); then it goes on. So it is with codes
    that nobody knows: a message that waits can be sent, one that was given up is missed."""
    GIVE_UP = "give_up"
    """This message can never be sent."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call, understood."""

    meaning: Meaning
    sentence: str
    wait_seconds: float = 0.0
    of_row: bool = False
    """Whether it may lie in this message alone, so that others need not wait for it for ever."""
    surely: bool = False
    """Whether it lies there without doubt."""


class Paused(Exception):
    """Slack wanted a method left alone for a while, which is not over: it was not called."""

    def __init__(self, seconds: float) -> None:
        super().__init__(wording.machine.SLACK_SAYS_WAIT)
        self.seconds = seconds


_MAY_HAVE_ARRIVED = {"internal_error", "fatal_error", "request_timeout"}
_TRANSIENT = {"service_unavailable", "team_added_to_org"}
_THEMSELVES = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "markdown_text_conflict",
    "invalid_attachments",
    "too_many_attachments",
    "attachment_payload_limit_exceeded",
    "metadata_too_large",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_must_be_sent_from_app",
    "message_not_found",
    "thread_not_found",
    "cannot_reply_to_message",
    "cant_update_message",
    "edit_window_closed",
    "too_many_emoji",
    "too_many_reactions",
    "invalid_name",
    "bad_timestamp",
    "invalid_arguments",
    "invalid_arg_name",
    "invalid_thread_ts",
    "missing_argument",
    "no_item_specified",
    "alt_txt_too_large",
    "snippet_too_large",
    "unknown_snippet_type",
    "duplicate_external_id",
    "view_too_large",
    "hash_conflict",
    "invalid_trigger_id",
    "expired_trigger_id",
    "exchanged_trigger_id",
    "trigger_expired",
    "trigger_exchanged",
}
"""What is wrong with the call itself: it is refused for ever, whatever people do."""
_RESTRICTED = "restricted_action"
"""Also `restricted_action_read_only_channel` and others: who may post is a setting of people's."""
_TOO_MANY = 429
_SERVER = 500


def understood(error: Exception) -> Failure | None:
    """What an exception of a call means; None where it isn't about Slack at all."""
    if isinstance(error, SlackApiError):
        return _refused(error)
    if isinstance(error, Paused):
        return Failure(Meaning.WAIT, str(error), error.seconds)
    if isinstance(error, ConfigurationError):
        return Failure(Meaning.MEND, str(error))
    if isinstance(error, UnderstudyError):
        return Failure(Meaning.RETRY, str(error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(Meaning.RETRY, wording.machine.SLACK_UNREACHABLE.format(error=error))
    if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError | SlackClientError | OSError):
        name = type(error).__name__
        return Failure(Meaning.UNSURE, wording.machine.SLACK_BROKE_OFF.format(error=name))
    return None


def code_of(error: SlackApiError) -> str:
    """Slack's word for why it refused; empty where what answered was no Slack, but say a proxy."""
    return str(_said(error).get("error") or "")


def _said(error: SlackApiError) -> Mapping[str, Any]:
    """What Slack said: its client also passes on text that is no JSON, and bare answers of HTTP."""
    said = getattr(error.response, "data", error.response)
    return said if isinstance(said, Mapping) else {}


def _status_of(error: SlackApiError) -> int:
    bare = getattr(error.response, "status", 200)
    return int(getattr(error.response, "status_code", bare))


def _refused(error: SlackApiError) -> Failure:
    response, said, status = error.response, _said(error), _status_of(error)
    if status == _TOO_MANY:
        wait = float(getattr(response, "headers", {}).get("Retry-After", 1))
        return Failure(Meaning.WAIT, wording.machine.SLACK_SAYS_WAIT, wait)
    code = code_of(error)
    if code in _MAY_HAVE_ARRIVED or status >= _SERVER:
        sentence = wording.machine.SLACK_FAILED.format(code=code or status)
        return Failure(Meaning.UNSURE, sentence, of_row=True)
    if code in wording.machine.SLACK_REFUSALS:
        needed = said.get("needed", "?")
        sentence = wording.machine.SLACK_REFUSALS[code].format(needed=needed)
        return Failure(Meaning.MEND, sentence)
    if code in _TRANSIENT or code == "ratelimited":
        return Failure(Meaning.RETRY, wording.machine.SLACK_BUSY.format(code=code))
    details = (said.get("response_metadata") or {}).get("messages") or []
    if code in _THEMSELVES:
        sentence = wording.machine.SLACK_REFUSES.format(code=code)
        return Failure(Meaning.GIVE_UP, " ".join([sentence, *map(str, details)]))
    restricted = code.startswith(_RESTRICTED)
    known = wording.machine.SLACK_RESTRICTS if restricted else wording.machine.SLACK_DISLIKES
    sentence = known.format(code=code)
    return Failure(Meaning.MEND, " ".join([sentence, *map(str, details)]), of_row=True)
