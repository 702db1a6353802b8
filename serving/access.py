"""Who may call: API keys in the Authorization header, looked up off the event loop, then cached.

A key that is known costs one dictionary look-up. Keys that nobody knows are asked for at a bounded
rate, and what is remembered of them can't push out what is known of good ones.
"""

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from records import keys
from records.database import Database
from records.errors import Forbidden, RateLimited, StorageError, StorageUnavailable, Unauthorized
from records.states import KeyScope
from records.tables import ApiKey
from serving.limits import NO_LIMIT, Rate, Use, Uses

Result = TypeVar("Result")

_MOST_HEADERS = 10_000
_MOST_UNKNOWN = 10_000
_LONGEST_HEADER = 300
_HOLDS_SECONDS = 600
"""How long a key that was known holds while the database can't be asked."""
_LOOK_UP_SECONDS = 5
_PATIENCE_SECONDS = 0.5
"""How long a request with a good key waits until the key is confirmed."""
_PER_ADDRESS = Rate(per_minute=60)
"""Unknown keys looked up for one client address: a person mistypes, a machine guesses."""
_IN_ALL = Rate(per_minute=1_200)
"""Unknown keys looked up for everybody: 20 a second are nothing to a database."""
_BLOCK_BITS = {4: 32, 6: 64}
"""What one client has: an address, or in version 6 a network of them."""
_UNKNOWN = "This API key is unknown or revoked."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is, as the audit names them, what it opens and how much it may ask."""

    name: str
    scope: KeyScope
    id: str = ""
    rate: Rate = NO_LIMIT

    @property
    def is_customers(self) -> bool:
        """Whether a customer's backend comes with it, and nobody who looks over its shoulder."""
        return self.scope is KeyScope.CUSTOMER

    def may(self, *scopes: KeyScope) -> bool:
        """Whether the key has one of those scopes; an admin's has every scope."""
        return self.scope is KeyScope.ADMIN or self.scope in scopes


@dataclass(slots=True, eq=False)
class _Known:
    """A good key, and until when that may be relied on."""

    caller: Caller
    fresh_until: float
    holds_until: float
    asking: asyncio.Task[None] | None = None


class Access:
    """Knows this machine's own keys and those in the database."""

    def __init__(
        self,
        database: Database,
        *,
        admin_key: str,
        customer_key: str,
        cache_seconds: float,
        rate: Rate = NO_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Rely on what the database said of a key for `cache_seconds`; a revoked one ends then.

        `rate` is what a key without limits of its own may ask.
        """
        self._database = database
        self._rate = rate
        self._own = (
            (admin_key, Caller("admin key", KeyScope.ADMIN, "own:admin", rate)),
            (customer_key, Caller("customer key", KeyScope.CUSTOMER, "own:customer", rate)),
        )
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._by_header: OrderedDict[bytes, _Known] = OrderedDict()
        self._good: dict[str, _Known] = {}
        self._first: dict[str, asyncio.Task[_Known | None]] = {}
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._guesses = Uses(most=10_000)
        self._all_guesses = Use()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="keys")
        self._unknown_one_by_one = asyncio.Semaphore(1)  # so that a thread is left for good keys

    def close(self) -> None:
        """End the threads, once what they do is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def known(self, authorization: bytes) -> Caller | None:
        """Who sends that header, where it was looked up a moment ago; else see `require`.

        The look-up is by hash, keyed anew in each process: its time tells nothing of a key.
        """
        known = self._by_header.get(authorization)
        if known is not None and known.fresh_until > self._clock():
            return known.caller
        return None

    async def require(
        self, authorization: bytes | str | None, *scopes: KeyScope, address: str = ""
    ) -> Caller:
        """Let a caller pass whose key has one of those scopes; an admin's has every scope.

        Raises:
            Unauthorized: no key, or one that is unknown or revoked.
            Forbidden: a key of another scope.
            RateLimited: too many unknown keys from this client address.
            StorageError: the database can't be asked, and the key was not known before.
        """
        header = _bytes(authorization)
        caller = self.known(header) or await self._find(header, address)
        if not caller.may(*scopes):
            wanted = " or ".join(dict.fromkeys((*scopes, KeyScope.ADMIN)))
            raise Forbidden(f"This needs a key of scope {wanted}; yours is {caller.scope}.")
        return caller

    async def _find(self, header: bytes, address: str) -> Caller:
        key = _key_of(header)
        own = self._own_caller(key)
        if own is not None:
            forever = float("inf")
            self._remember(header, _Known(own, forever, forever))
            return own
        digest = keys.hashed(key)
        known = self._good.get(digest)
        if known is not None and known.fresh_until <= self._clock():
            await self._ask_again(known, digest)
            known = self._good.get(digest)
        if known is None:
            known = await self._ask_first(digest, address)
        self._remember(header, known)
        return known.caller

    def _own_caller(self, key: str) -> Caller | None:
        found = None
        for own, caller in self._own:  # all of them, so that the time tells nothing
            if keys.same(key, own):
                found = caller
        return found

    async def _ask_again(self, known: _Known, digest: str) -> None:
        """Have a good key confirmed or ended; one question for all who wait for it.

        Nobody waits long: a database that is slow to answer is one that can't be asked.
        """
        if known.asking is None:
            known.asking = _started(self._confirm(known, digest))
        asking = known.asking
        await asyncio.wait((asking,), timeout=_PATIENCE_SECONDS)
        if asking.done():
            asking.result()
        elif known.holds_until > self._clock():
            known.fresh_until = self._clock() + self._cache_seconds
        else:
            raise StorageUnavailable("The database does not answer.")

    async def _confirm(self, known: _Known, digest: str) -> None:
        try:
            caller = await self._look_up(digest)
        except StorageError:
            if known.holds_until <= self._clock():
                raise
            known.fresh_until = self._clock() + self._cache_seconds
        else:
            if caller is None:
                known.fresh_until = float("-inf")
                self._good.pop(digest, None)
            else:
                known.caller = caller
                self._prolong(known)
        finally:
            known.asking = None

    async def _ask_first(self, digest: str, address: str) -> _Known:
        if self._unknown.get(digest, 0.0) > self._clock():
            raise Unauthorized(_UNKNOWN)
        asking = self._first.get(digest)
        if asking is None:
            guess = self._count_guess(address)
            asking = self._first[digest] = _started(self._learn(digest, guess))
        known = await asyncio.shield(asking)
        if known is None:
            raise Unauthorized(_UNKNOWN)
        return known

    async def _learn(self, digest: str, guess: Use) -> _Known | None:
        try:
            async with self._unknown_one_by_one:
                caller = await self._look_up(digest)
        finally:
            del self._first[digest]
        if caller is None:
            self._unknown[digest] = self._clock() + self._cache_seconds
            if len(self._unknown) > _MOST_UNKNOWN:
                self._unknown.popitem(last=False)
            return None
        guess.give_back(_PER_ADDRESS)
        self._all_guesses.give_back(_IN_ALL)
        known = self._good[digest] = _Known(caller, 0.0, 0.0)
        self._prolong(known)
        return known

    def _count_guess(self, address: str) -> Use:
        """Let an unknown key be looked up, but not too many; good ones are given back.

        Raises:
            RateLimited: too many from this address, or in all.
        """
        now = self._clock()
        theirs = self._guesses.of(_block(address), now)
        wait = max(
            theirs.wait_seconds(_PER_ADDRESS, now), self._all_guesses.wait_seconds(_IN_ALL, now)
        )
        if wait:
            raise RateLimited(
                "Too many API keys that nobody knows were tried; check yours, then try again.",
                retry_after_seconds=wait,
            )
        theirs.count(_PER_ADDRESS, now)
        self._all_guesses.count(_IN_ALL, now)
        return theirs

    async def _look_up(self, digest: str) -> Caller | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                return await loop.run_in_executor(self._threads, self._read, digest)
        except TimeoutError as error:
            raise StorageUnavailable("The database does not answer.") from error

    def _read(self, digest: str) -> Caller | None:
        with self._database.read() as session:
            row = keys.find_hashed(session, digest)
        return self._caller(row) if row else None

    def _caller(self, row: ApiKey) -> Caller:
        own = (row.requests_per_minute, row.concurrent_requests)
        default = (self._rate.per_minute, self._rate.at_once)
        limits = (d if o is None else o for o, d in zip(own, default, strict=True))
        return Caller(row.name, row.scope, row.id, Rate(*limits))

    def _prolong(self, known: _Known) -> None:
        now = self._clock()
        known.fresh_until, known.holds_until = now + self._cache_seconds, now + _HOLDS_SECONDS

    def _remember(self, header: bytes, known: _Known) -> None:
        """Know a good key by the header that brings it. A key can be written in many ways."""
        self._by_header[header] = known
        if len(self._by_header) > _MOST_HEADERS:
            self._by_header.popitem(last=False)


def _started(asking: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """A question on its way. Its error is seen even where all who asked have left."""
    task = asyncio.ensure_future(asking)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _bytes(authorization: bytes | str | None) -> bytes:
    if isinstance(authorization, str):
        return authorization.encode("latin-1", "replace")
    return authorization or b""


def _key_of(header: bytes) -> str:
    kind, _, key = header.decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Unauthorized("Send your API key as: Authorization: Bearer <key>.")
    if len(header) > _LONGEST_HEADER:
        raise Unauthorized(_UNKNOWN)
    return key.strip()


def _block(address: str) -> str:
    """The block of addresses that one client has; the address itself where it is none."""
    try:
        bits = _BLOCK_BITS[ipaddress.ip_address(address).version]
        return str(ipaddress.ip_network((address, bits), strict=False))
    except ValueError:
        return address
