"""Answers calls of Slack's Web API: who calls, how often, with which rights, and what for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.standin.methods import METHODS
from bot.standin.methods.call import Call, Method, kind_of
from bot.standin.rate_limits import RateLimits
from bot.standin.refusal import Refused
from bot.standin.tokens import Token, Tokens
from bot.standin.workspace import Json, Workspace

NOBODY = Token("", "")


@dataclass(slots=True)
class WebApi:
    """Answers calls on behalf of all workspaces."""

    workspace_of: Callable[[str], Workspace]
    tokens: Tokens
    limits: RateLimits
    url: str

    def call(self, method: str, given: Mapping[str, object], *, token: str) -> tuple[Json, Call]:
        """Answer one call; returns the answer, and the call with its events.

        Raises:
            Refused: with Slack's error code.
        """
        known = METHODS.get(method)
        if known is None:
            raise Refused("unknown_method")
        call = self._call(known, given, token=token)
        self.limits.check(method, known, call)
        call.require_scope(*_scopes(known, call))
        return {"ok": True, **known.answer(call)}, call

    def _call(self, method: Method, given: Mapping[str, object], *, token: str) -> Call:
        if not token and not method.is_open:
            raise Refused("not_authed")
        opened = self.tokens.check(token) if token else NOBODY
        if not opened.team and not method.is_open:
            raise Refused("not_allowed_token_type")
        workspace = self.workspace_of(opened.team)
        return Call(workspace, dict(given), self.url, opened, self.tokens, self.workspace_of)


def _scopes(method: Method, call: Call) -> list[str]:
    """Which scopes the method needs for the conversation that is meant."""
    named = call.given.get("channel") or call.given.get("channel_id")
    channel = call.workspace.find_channel(str(named or ""))
    kind = kind_of(call.workspace.channels[channel]) if channel else "channels"
    return [scope.format(kind=kind) for scope in method.scopes]
