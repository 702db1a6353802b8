"""Outcomes over HTTP: of conversations and customers, late, repeated, in conflict."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from records.tables import Outcome
from tests.serving.running_gateway import Stack


async def report(stack: Stack, **body: Any) -> dict[str, Any]:
    return await stack.call("POST", "/v1/outcomes", json={"metric": "accepted", "value": 1, **body})


async def begun(stack: Stack) -> str:
    made = await stack.call("POST", "/v1/conversations", json={"customer_id": "ada"})
    return str(made["id"])


def rows(stack: Stack) -> list[Outcome]:
    with stack.database.read() as session:
        return list(session.scalars(select(Outcome).order_by(Outcome.id)))


async def test_a_late_report_says_when_it_happened(stack: Stack) -> None:
    name = await begun(stack)
    done = await report(stack, conversation_id=name, occurred_at="2025-03-01T10:00:00+02:00")
    assert (done["recorded"], done["known_already"]) == (True, False)
    (row,) = rows(stack)
    assert row.occurred_at == datetime(2025, 3, 1, 8, tzinfo=UTC)
    assert (row.customer, row.conversation_id) == ("ada", name)


async def test_an_outcome_of_a_customer(stack: Stack) -> None:
    done = await report(stack, customer_id="ada", metric="order_value", value=12.5)
    assert done["recorded"]
    (row,) = rows(stack)
    assert (row.assistant, row.customer, row.conversation_id) == ("support", "ada", None)
    unknown = await report(stack, customer_id="ada", assistant="sales")
    assert unknown["status"] == 404


async def test_a_repeated_report_is_known_and_a_changed_one_refused(stack: Stack) -> None:
    name = await begun(stack)
    when = "2025-03-01T10:00:00Z"
    many = await asyncio.gather(
        *(report(stack, conversation_id=name, id="o-7", occurred_at=when) for _ in range(8))
    )
    assert sorted(one["known_already"] for one in many) == [False, *[True] * 7]
    changed = await report(stack, conversation_id=name, id="o-7", value=0, occurred_at=when)
    assert (changed["status"], changed["error"]["code"]) == (409, "conflict")
    assert "another value" in changed["error"]["message"]
    assert [row.value for row in rows(stack)] == [1]


async def test_without_an_id_each_report_counts(stack: Stack) -> None:
    name = await begun(stack)
    for _ in range(2):
        assert (await report(stack, conversation_id=name))["recorded"]
    assert len(rows(stack)) == 2


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "conversation_id"),
        ({"conversation_id": "c", "customer_id": "ada"}, "conversation_id"),
        ({"customer_id": "ada", "value": "much"}, "value"),
        ({"customer_id": "ada", "metric": ""}, "metric"),
        ({"customer_id": "ada", "occurred_at": "2025-03-01T10:00:00"}, "occurred_at"),
        ({"customer_id": "ada", "occurred_at": "yesterday"}, "occurred_at"),
        ({"customer_id": "a\0b"}, "customer_id"),
    ],
)
async def test_a_report_that_cannot_be_used_is_refused(
    stack: Stack, body: dict[str, Any], param: str
) -> None:
    refused = await report(stack, **body)
    assert (refused["status"], refused["error"]["param"]) == (400, param)
    assert rows(stack) == []


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({"metric": "csat", "value": 400}, "value"),
        ({"metric": "accepted", "value": 1, "occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
    ],
)
async def test_what_cannot_be_is_refused(stack: Stack, report: dict[str, Any], field: str) -> None:
    conversation = (await stack.chat("hi"))["understudy"]["conversation_id"]
    answer = await stack.call(
        "POST", "/v1/outcomes", json={"conversation_id": conversation, **report}
    )
    assert (answer["status"], answer["error"]["param"]) == (400, field)
