"""What is known of a request while it is answered."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serving.request_record import RequestRecord, begin, current, record_of, request_id


def scope(**more: Any) -> dict[str, Any]:
    return {"method": "POST", "headers": [(b"x-request-id", b"req_1")], **more}


def alone(request: dict[str, Any]) -> RequestRecord:
    """A record made in a context of its own."""

    async def make() -> RequestRecord:
        return begin(request)

    return asyncio.run(make())


def test_only_what_was_set_is_told() -> None:
    record = alone(scope())
    record.conversation = "conv_1"
    assert record.fields == {"request": "req_1", "method": "POST", "conversation": "conv_1"}
    assert record.version is None


def test_a_request_has_one_record() -> None:
    request = scope()
    assert alone(request) is record_of(request)


def test_where_nobody_has_begun_a_record_it_is_made() -> None:
    async def answer() -> None:
        request = scope()
        assert record_of(request) is record_of(request) is current.get()

    asyncio.run(answer())


async def test_tasks_of_a_request_see_its_record_and_others_do_not() -> None:
    async def answer(number: int) -> None:
        record = begin(scope(headers=[(b"x-request-id", b"%d" % number)]))
        await asyncio.sleep(0)

        async def part() -> RequestRecord | None:
            return current.get()

        assert await asyncio.create_task(part()) is record
        assert await asyncio.to_thread(current.get) is record
        assert record.request == str(number)

    before = current.get()
    await asyncio.gather(*(asyncio.create_task(answer(n)) for n in range(20)))
    assert current.get() is before


def test_an_unknown_method_is_not_repeated() -> None:
    assert alone(scope(method="ERIKA@EXAMPLE.ORG")).method == "OTHER"


def test_a_plain_word_of_the_clients_is_kept_as_the_requests_id() -> None:
    assert request_id([(b"host", b"x"), (b"x-request-id", b"shop-42_A")]) == "shop-42_A"
    assert len({request_id([]) for _ in range(100)}) == 100


@given(st.binary(max_size=200))
def test_a_requests_id_breaks_no_line_and_is_no_address(value: bytes) -> None:
    found = request_id([(b"x-request-id", value)])
    assert 0 < len(found) <= 128
    assert found.isascii()
    assert found.isprintable()
    assert not set(found) & set("@ \"'<>\\")
