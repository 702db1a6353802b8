"""Who may call: API keys in the Authorization header, looked up off the event loop, then cached."""

import asyncio
import time
from dataclasses import dataclass

from records import keys
from records.database import Database
from records.errors import Forbidden, Unauthorized
from records.states import KeyScope

_MOST_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is, as the audit names them, and what it opens."""

    name: str
    scope: KeyScope


class Access:
    """Knows this machine's own keys and those in the database."""

    def __init__(
        self, database: Database, *, admin_key: str, customer_key: str, cache_seconds: float
    ) -> None:
        """Remember what the database said of a key for `cache_seconds`, revoked ones included."""
        self._database = database
        self._own = (
            (admin_key, Caller("admin key", KeyScope.ADMIN)),
            (customer_key, Caller("customer key", KeyScope.CUSTOMER)),
        )
        self._cache_seconds = cache_seconds
        self._cache: dict[str, tuple[float, Caller | None]] = {}

    async def require(self, authorization: str | None, scope: KeyScope) -> Caller:
        """Let a caller pass whose key has that scope; an admin's has every scope.

        Raises:
            Unauthorized: no key, or one that is unknown or revoked.
            Forbidden: a customer backend's key where an admin's is needed.
        """
        kind, _, key = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            raise Unauthorized("Send your API key as: Authorization: Bearer <key>.")
        found = await self._caller_of(key.strip())
        if found is None:
            raise Unauthorized("This API key is unknown or revoked.")
        if found.scope not in (scope, KeyScope.ADMIN):
            raise Forbidden("This needs an admin key.")
        return found

    async def _caller_of(self, key: str) -> Caller | None:
        for own, caller in self._own:
            if keys.same(key, own):
                return caller
        digest, now = keys.hashed(key), time.monotonic()
        known = self._cache.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        found = await asyncio.to_thread(self._look_up, key)
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[digest] = (now + self._cache_seconds, found)
        return found

    def _look_up(self, key: str) -> Caller | None:
        with self._database.read() as session:
            row = keys.find(session, key)
        return Caller(row.name, row.scope) if row else None
