"""The tokens that open workspaces to the app: who has which, what they may do, and until when.

No I/O. Codes and tokens are kept with everything else, so that an installation outlives a restart.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.standin.refusal import Refused

Json = dict[str, Any]
CODE_SECONDS = 600.0


@dataclass(slots=True)
class Token:
    """What opens one workspace, or the app's own sockets where it belongs to none."""

    value: str
    team: str
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    is_revoked: bool = False
    was_uninstalled: bool = False


@dataclass(slots=True)
class Code:
    """What a redirect carries, to be exchanged once."""

    team: str
    scopes: frozenset[str]
    redirect_uri: str
    expires_at: float
    is_used: bool = False


@dataclass(slots=True)
class Tokens:
    """All tokens. `lifetime_seconds` is how long one lives where tokens rotate, else None."""

    clock: Callable[[], float]
    lifetime_seconds: float | None = None
    known: dict[str, Token] = field(default_factory=dict)
    refreshing: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    is_unkept: bool = False

    def add(self, value: str, team: str, scopes: frozenset[str]) -> None:
        """Know a token that was there before."""
        self.known[value] = Token(value, team, scopes)

    def check(self, value: str) -> Token:
        """The token of this value, if it opens something now.

        Raises:
            Refused: in Slack's words.
        """
        token = self.known.get(value)
        if token is None:
            raise Refused("invalid_auth")
        if token.was_uninstalled:
            raise Refused("account_inactive")
        if token.is_revoked:
            raise Refused("token_revoked")
        if token.expires_at is not None and self.clock() >= token.expires_at:
            raise Refused("token_expired")
        return token

    def new_code(self, team: str, scopes: frozenset[str], *, redirect_uri: str = "") -> str:
        """What somebody who allowed the app in is redirected with."""
        code = f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.codes[code] = Code(team, scopes, redirect_uri, self.clock() + CODE_SECONDS)
        return code

    def use_code(self, value: str, *, redirect_uri: str) -> Code:
        """Spend a code.

        Raises:
            Refused: it does not exist, was used, is too old, or was given for another address.
        """
        code = self.codes.get(value)
        if code is None:
            raise Refused("invalid_code")
        if code.is_used:
            raise Refused("code_already_used")
        if self.clock() > code.expires_at:
            raise Refused("invalid_code")
        if code.redirect_uri and redirect_uri and redirect_uri != code.redirect_uri:
            raise Refused("bad_redirect_uri")
        code.is_used = True
        return code

    def issue(self, team: str, scopes: frozenset[str]) -> Json:
        """A new token, and where tokens rotate another to renew it with."""
        self.is_unkept = True
        word = secrets.token_hex(12)
        if self.lifetime_seconds is None:
            token = Token(f"xoxb-{word}", team, scopes)
            self.known[token.value] = token
            return {"access_token": token.value}
        until = self.clock() + self.lifetime_seconds
        token = Token(f"xoxe.xoxb-1-{word}", team, scopes, until)
        self.known[token.value] = token
        refresh = f"xoxe-1-{secrets.token_hex(16)}"
        self.refreshing[refresh] = token
        return {
            "access_token": token.value,
            "refresh_token": refresh,
            "expires_in": int(self.lifetime_seconds),
        }

    def refresh(self, value: str) -> Token:
        """Spend a refresh token; returns the access token that it renews.

        Raises:
            Refused: it does not exist, was used, or the app was removed.
        """
        token = self.refreshing.pop(value, None)
        if token is None or token.is_revoked or token.was_uninstalled:
            raise Refused("invalid_refresh_token")
        self.is_unkept = True
        return token

    def of_team(self, team: str) -> list[Token]:
        """The tokens that open a workspace or did so."""
        return [t for t in self.known.values() if t.team == team]

    def dumped(self) -> Json:
        """What outlives the process."""
        self.is_unkept = False
        known = {v: {**asdict(t), "scopes": sorted(t.scopes)} for v, t in self.known.items()}
        return {"known": known, "refreshing": {k: t.value for k, t in self.refreshing.items()}}

    def load(self, state: Json) -> None:
        """Go on from what was kept."""
        for value, kept in state["known"].items():
            token = Token(**{**kept, "scopes": frozenset(kept["scopes"])})
            self.known.setdefault(value, token)
        self.refreshing = {k: self.known[v] for k, v in state["refreshing"].items()}
