"""API keys: who is let in, how fast, and what a database that is gone or slow means."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from records import keys
from records.database import Database
from records.errors import Forbidden, RateLimited, StorageError, StorageUnavailable, Unauthorized
from records.states import KeyScope
from serving.access import Access, Caller
from serving.limits import Rate
from tests.serving.running_gateway import until

CACHE_SECONDS = 5.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """Access with a clock of its own, and a database that can be made to fail."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, Clock()
        self.access = Access(
            database,
            admin_key="us-admin",
            customer_key="us-customer",
            cache_seconds=CACHE_SECONDS,
            rate=Rate(per_minute=600, at_once=9),
            clock=self.clock,
        )
        self.looked_up = 0
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        read = self.access._read

        def counted(digest: str) -> Caller | None:
            self.looked_up += 1
            self.open.wait(10)
            if self.error is not None:
                raise self.error
            return read(digest)

        self.access._read = counted  # type: ignore[method-assign]

    def key(self, scope: KeyScope = KeyScope.CUSTOMER, **limits: int) -> str:
        with self.database.write() as session:
            return keys.create(session, name="shop", scope=scope, actor="ops", **limits)

    def revoke(self, key: str) -> None:
        with self.database.write() as session:
            row = keys.find(session, key)
            assert row is not None
            keys.revoke(session, row.id, actor="ops")

    async def let_in(self, key: str, scope: KeyScope = KeyScope.CUSTOMER, **more: Any) -> Caller:
        return await self.access.require(f"Bearer {key}", scope, **more)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()


@pytest_asyncio.fixture
async def door(sqlite: Database) -> AsyncIterator[Door]:
    made = Door(sqlite)
    yield made
    made.access.close()


@pytest.mark.parametrize(
    "header", [None, "", "Basic x", "Bearer", "Bearer ", "bearer\x00x", "Bearer wrong",
               "Bearer " + "x" * 100_000, "Bearer \xff"],
)  # fmt: skip
async def test_without_a_good_key_nobody_is_let_in(door: Door, header: str | None) -> None:
    with pytest.raises(Unauthorized):
        await door.access.require(header, KeyScope.CUSTOMER)


@pytest.mark.parametrize("scope", list(KeyScope))
async def test_a_key_opens_its_scope_and_an_admins_opens_all(door: Door, scope: KeyScope) -> None:
    key = door.key(scope)
    for wanted in KeyScope:
        if scope in (wanted, KeyScope.ADMIN):
            assert (await door.let_in(key, wanted)).name == "shop"
        else:
            with pytest.raises(Forbidden, match=f"scope {wanted}"):
                await door.let_in(key, wanted)
    assert (await door.access.require(f"Bearer {key}", *KeyScope)).scope is scope


async def test_a_key_of_one_of_several_scopes_is_let_in(door: Door) -> None:
    header = f"Bearer {door.key(KeyScope.AGENT)}"
    assert await door.access.require(header, KeyScope.CUSTOMER, KeyScope.AGENT)
    with pytest.raises(Forbidden, match="scope customer or ops or admin; yours is agent"):
        await door.access.require(header, KeyScope.CUSTOMER, KeyScope.OPS)


async def test_this_machines_own_keys_need_no_database(door: Door) -> None:
    door.error = StorageUnavailable("gone")
    assert (await door.let_in("us-customer")).id == "own:customer"
    assert (await door.let_in("us-admin", KeyScope.OPS)).scope is KeyScope.ADMIN
    assert door.looked_up == 0


async def test_a_keys_own_limits_stand_in_place_of_the_settings(door: Door) -> None:
    assert (await door.let_in(door.key())).rate == Rate(600, 9)
    own = door.key(requests_per_minute=5, concurrent_requests=0)
    assert (await door.let_in(own)).rate == Rate(5, 0)
    assert (await door.let_in(door.key(requests_per_minute=7))).rate == Rate(7, 9)


async def test_a_known_key_is_found_without_asking(door: Door) -> None:
    header = f"Bearer {door.key()}".encode()
    assert door.access.known(header) is None
    caller = await door.access.require(header, KeyScope.CUSTOMER)
    for _ in range(100):
        assert door.access.known(header) is caller
        await door.access.require(header, KeyScope.CUSTOMER)
    assert door.looked_up == 1


async def test_a_burst_with_a_key_that_is_new_here_asks_once(door: Door) -> None:
    key = door.key()
    await asyncio.gather(*(door.let_in(key, address="10.0.0.1") for _ in range(200)))
    door.clock.now += CACHE_SECONDS
    await asyncio.gather(*(door.let_in(key, address="10.0.0.1") for _ in range(200)))
    assert door.looked_up == 2


async def test_a_revoked_key_ends_when_its_cache_does(door: Door) -> None:
    key = door.key()
    await door.let_in(key)
    door.revoke(key)
    door.clock.now += CACHE_SECONDS - 0.01
    await door.let_in(key)
    door.clock.now += 0.02
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await door.let_in(key)
    assert door.access.known(f"Bearer {key}".encode()) is None


async def test_a_keys_changed_limit_holds_when_its_cache_ends(door: Door) -> None:
    key = door.key()
    await door.let_in(key)
    with door.database.write() as session:
        row = keys.find(session, key)
        assert row is not None
        row.requests_per_minute = 3
    door.clock.now += CACHE_SECONDS
    assert (await door.let_in(key)).rate.per_minute == 3


async def test_while_the_database_is_gone_a_known_key_holds_for_ten_minutes(door: Door) -> None:
    key = door.key()
    await door.let_in(key)
    door.error = StorageUnavailable("gone")
    for _ in range(119):
        door.clock.now += CACHE_SECONDS
        await door.let_in(key)
        await door.let_in(key)
    assert door.looked_up == 120  # one question each time the cache ends, not one per request
    door.clock.now += CACHE_SECONDS
    with pytest.raises(StorageError):
        await door.let_in(key)
    door.error = None
    await door.let_in(key)


async def test_while_the_database_is_gone_an_unknown_key_is_not_called_wrong(door: Door) -> None:
    key = door.key()
    door.error = StorageUnavailable("gone")
    with pytest.raises(StorageError):
        await door.let_in(key)
    door.error = None
    await door.let_in(key)


async def test_a_database_that_hangs_holds_up_a_known_key_only_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.access._PATIENCE_SECONDS", 0.05)
    key = door.key()
    await door.let_in(key)
    door.revoke(key)
    with door.hanging():
        door.clock.now += CACHE_SECONDS
        began = time.monotonic()
        await asyncio.gather(*(door.let_in(key) for _ in range(50)))
        await door.let_in(key)
        assert time.monotonic() - began < 2
    header = f"Bearer {key}".encode()
    await until(lambda: door.access.known(header) is None)  # what it said at last is followed


async def test_unknown_keys_are_asked_for_at_a_bounded_rate_for_each_address(door: Door) -> None:
    refused = await wrong_keys(door, 200, address="10.0.0.1")
    assert door.looked_up == 60
    assert refused == {Unauthorized: 60, RateLimited: 140}
    with pytest.raises(Unauthorized):
        await door.let_in("us-mistyped", address="10.0.0.2")
    door.clock.now += 1
    with pytest.raises(Unauthorized):
        await door.let_in("us-mistyped too", address="10.0.0.1")


async def test_a_network_of_version_6_counts_as_one_address(door: Door) -> None:
    refused: dict[type, int] = {}
    for number in range(80):
        found = await wrong_keys(door, 1, address=f"2001:db8::{number:x}", start=number)
        for kind, times in found.items():
            refused[kind] = refused.get(kind, 0) + times
    assert refused == {Unauthorized: 60, RateLimited: 20}


async def test_unknown_keys_of_many_addresses_are_bounded_too(door: Door) -> None:
    for block in range(40):
        await wrong_keys(door, 40, address=f"10.0.{block}.1", start=block * 40)
    assert door.looked_up == 1_200


async def test_one_wrong_key_again_and_again_is_asked_for_once(door: Door) -> None:
    for _ in range(300):
        with pytest.raises(Unauthorized):
            await door.let_in("us-old", address="10.0.0.1")
    assert door.looked_up == 1


async def test_many_good_keys_of_one_address_are_all_let_in(door: Door) -> None:
    for _ in range(100):
        await door.let_in(door.key(), address="10.0.0.1")


async def test_wrong_keys_never_push_out_good_ones_and_are_forgotten(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.access._MOST_UNKNOWN", 50)
    key = door.key()
    await door.let_in(key, address="10.0.0.1")
    for block in range(10):
        await wrong_keys(door, 20, address=f"10.1.{block}.1", start=block * 20)
    assert len(door.access._unknown) == 50
    looked_up = door.looked_up
    await door.let_in(key, address="10.0.0.1")
    assert door.looked_up == looked_up


async def test_a_good_key_is_confirmed_while_its_address_tries_wrong_ones(door: Door) -> None:
    key = door.key()
    await door.let_in(key, address="10.0.0.1")
    await wrong_keys(door, 100, address="10.0.0.1")
    door.clock.now += CACHE_SECONDS
    await door.let_in(key, address="10.0.0.1")


async def test_a_key_written_in_many_ways_fills_no_memory(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.access._MOST_HEADERS", 10)
    key = door.key()
    for spaces in range(1, 50):
        await door.access.require(f"bEaReR{' ' * spaces}{key}", KeyScope.CUSTOMER)
    assert len(door.access._by_header) == 10
    assert door.looked_up == 1


async def wrong_keys(door: Door, times: int, *, address: str, start: int = 0) -> dict[type, int]:
    """How often each error came."""
    refused: dict[type, int] = {}
    for number in range(start, start + times):
        with pytest.raises((Unauthorized, RateLimited)) as error:
            await door.let_in(f"us-wrong-{number}", address=address)
        refused[type(error.value)] = refused.get(type(error.value), 0) + 1
    return refused
