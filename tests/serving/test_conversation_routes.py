"""Conversations over HTTP: begun, read, rated; who may do which of it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from records import keys
from records.states import KeyScope
from records.tables import Outcome
from tests.serving.running_gateway import Stack


async def post(stack: Stack, path: str, **body: Any) -> dict[str, Any]:
    return await stack.call("POST", f"/v1/conversations{path}", json=body)


def outcomes(stack: Stack) -> dict[str, float]:
    with stack.database.read() as session:
        return {
            f"{o.metric} {o.turn_id or ''}".strip(): o.value
            for o in session.scalars(select(Outcome))
        }


async def test_a_conversation_is_begun_before_anything_is_said(stack: Stack) -> None:
    made = await post(stack, "", customer_id="ada", key="chat-7")
    assert (made["status"], made["state"], made["assistant"]) == (201, "open", "support")
    again = await post(stack, "", assistant="support", key="chat-7")
    assert (again["status"], again["id"], again["customer"]) == (200, made["id"], "ada")
    read = await stack.call("GET", "/v1/conversations/chat-7")
    assert (read["id"], read["turns"], read["cursor"]) == (made["id"], [], "-1.0")


async def test_a_body_is_not_needed_where_there_is_one_assistant(stack: Stack) -> None:
    made = await stack.call("POST", "/v1/conversations")
    assert (made["status"], made["key"], made["customer"]) == (201, None, None)
    assert (await post(stack, "", assistant="sales"))["status"] == 404


async def test_the_same_key_at_once_is_one_conversation(stack: Stack) -> None:
    made = await asyncio.gather(*(post(stack, "", key="k") for _ in range(10)))
    assert len({one["id"] for one in made}) == 1
    assert len(stack.conversations()) == 1


async def test_a_key_of_another_customers_conversation_is_refused(stack: Stack) -> None:
    await post(stack, "", customer_id="ada", key="k")
    refused = await post(stack, "", customer_id="bob", key="k")
    assert (refused["status"], refused["error"]["code"]) == (409, "conflict")


async def test_a_later_rating_takes_the_place_of_an_earlier_one(stack: Stack) -> None:
    name = (await post(stack, ""))["id"]
    turn = (await post(stack, f"/{name}/turns", content="hello", stream=False))["id"]
    first = await post(stack, f"/{name}/rating", thumb="up", turn_id=turn, comment="nice")
    assert (first["status"], first["thumb"]) == (200, 1)
    await post(stack, f"/{name}/rating", thumb="down", turn_id=turn)
    await post(stack, f"/{name}/rating", csat=5)
    await post(stack, f"/{name}/rating", csat=2, thumb="up", comment="slow")
    assert outcomes(stack) == {f"thumb {turn}": 0, "csat": 2, "thumb": 1}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "thumb"),
        ({"comment": "nothing else"}, "thumb"),
        ({"thumb": "sideways"}, "thumb"),
        ({"csat": 0}, "csat"),
        ({"csat": 6}, "csat"),
        ({"csat": 3, "turn_id": "turn_1"}, "thumb"),
        ({"thumb": "up", "comment": "a\0b"}, "comment"),
    ],
)
async def test_a_rating_that_says_nothing_clear_is_refused(
    stack: Stack, body: dict[str, Any], param: str
) -> None:
    name = (await post(stack, ""))["id"]
    refused = await post(stack, f"/{name}/rating", **body)
    assert (refused["status"], refused["error"]["param"]) == (400, param)
    assert outcomes(stack) == {}


async def test_a_rating_is_of_an_answer_in_this_conversation(stack: Stack) -> None:
    mine, other = [(await post(stack, ""))["id"] for _ in range(2)]
    answer = (await post(stack, f"/{other}/turns", content="hello", stream=False))["id"]
    refused = await post(stack, f"/{mine}/rating", thumb="up", turn_id=answer)
    assert (refused["status"], refused["error"]["code"]) == (404, "not_found")
    assert (await post(stack, f"/{mine}/rating", thumb="up", turn_id="turn_0"))["status"] == 404
    assert (await post(stack, "/conv_0/rating", thumb="up"))["status"] == 404


def key(stack: Stack, scope: KeyScope) -> dict[str, str]:
    with stack.database.write() as session:
        made = keys.create(session, name=scope, scope=scope, actor="test")
    return {"Authorization": f"Bearer {made}"}


async def test_customers_keys_and_agents_keys_open_their_own_routes_only(stack: Stack) -> None:
    name = (await post(stack, ""))["id"]
    await post(stack, f"/{name}/escalate")
    words = {"content": "hi", "agent": "U1", "id": "1", "thumb": "up", "stream": False}
    of_customers = ["", f"/{name}/turns", f"/{name}/escalate", f"/{name}/rating"]
    of_agents = [
        f"/{name}/agent/{act}" for act in ("take-over", "reply", "typing", "hand-back", "resolve")
    ]
    desk, customer = key(stack, KeyScope.AGENT), key(stack, KeyScope.CUSTOMER)

    async def statuses(paths: list[str], headers: dict[str, str]) -> set[int]:
        found = set()
        for path in paths:
            url = f"/v1/conversations{path}"
            found.add((await stack.call("POST", url, json=words, headers=headers))["status"])
        return found

    assert await statuses(of_agents, customer) == {403}
    assert await statuses(of_customers, desk) == {403}
    assert await statuses([*of_agents, *of_customers], key(stack, KeyScope.OPS)) == {403}
    assert await statuses([*of_agents, *of_customers], {}) == {401}
    report = {"metric": "x", "value": 1, "conversation_id": name}
    assert (await stack.call("POST", "/v1/outcomes", json=report, headers=desk))["status"] == 403
    assert stack.turns() == []


async def test_agents_see_who_has_a_conversation_and_customers_do_not(stack: Stack) -> None:
    name = (await post(stack, ""))["id"]
    desk = key(stack, KeyScope.AGENT)
    for act in ("take-over", "reply"):
        body = {"agent": "U1", "content": "Hello", "id": "1"}
        await stack.call("POST", f"/v1/conversations/{name}/agent/{act}", json=body, headers=desk)
    seen = await stack.call("GET", f"/v1/conversations/{name}", headers=desk)
    assert (seen["owner"], seen["turns"][0]["author"], seen["reason"]) == ("U1", "U1", "flag")
    shown = await stack.call("GET", f"/v1/conversations/{name}")
    assert "U1" not in str(shown)
    assert shown["turns"][0]["content"] == "Hello"


async def test_asking_for_a_person_is_counted_once(stack: Stack) -> None:
    name = (await post(stack, ""))["id"]
    for _ in range(2):
        assert (await post(stack, f"/{name}/escalate"))["reason"] == "customer"
    async with stack.http.get(f"{stack.url}/metrics", headers=stack.headers("admin")) as response:
        lines = [line for line in (await response.text()).splitlines() if "escalations" in line]
    counted = [line for line in lines if 'reason="customer"' in line]
    assert [float(line.rpartition(" ")[2]) for line in counted] == [1], lines
