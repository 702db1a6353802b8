"""The other endpoints: conversations, outcomes, explanations, keys."""

import asyncio

import pytest
from sqlalchemy import select

from records import escalations, keys
from records.states import ConversationState, KeyScope
from records.tables import Audit, OutboxMessage, Outcome
from tests.serving.running_gateway import Stack


async def test_a_conversation_is_read_with_the_agents_words(stack: Stack) -> None:
    asked = await stack.chat(headers={"X-Conversation-Id": "mine", "X-Customer-Id": "ada"})
    conversation = asked["understudy"]["conversation_id"]
    escalated = await stack.call("POST", "/v1/conversations/mine/escalate", json={"cause": "help"})
    assert escalated["state"] == "escalated"
    again = await stack.call("POST", f"/v1/conversations/{conversation}/escalate")
    assert again["escalation_id"] == escalated["escalation_id"]
    with stack.database.write() as session:
        escalations.take_over(session, escalated["escalation_id"], agent="U1")
        escalations.reply(
            session, escalated["escalation_id"], agent="U1", content="I'm here", source_key="s:1"
        )
    seen = await stack.call("GET", f"/v1/conversations/{conversation}")
    assert (seen["key"], seen["customer"], seen["state"]) == ("mine", "ada", "with_agent")
    assert [(t["role"], t["content"]) for t in seen["turns"]] == [
        ("customer", "hello"),
        ("assistant", "support-base answers: hello"),
        ("agent", "I'm here"),
    ]


async def test_asking_for_a_person_reaches_slack_once(stack: Stack) -> None:
    asked = await stack.chat()
    path = f"/v1/conversations/{asked['understudy']['conversation_id']}/escalate"
    await asyncio.gather(*(stack.call("POST", path) for _ in range(5)))
    (escalation,) = stack.escalations()
    assert escalation.cause == "The customer asked for a person."
    with stack.database.read() as session:
        kinds = session.scalars(select(OutboxMessage.kind)).all()
    assert kinds.count("escalation_opened") == 1
    assert stack.conversations()[0].state is ConversationState.ESCALATED


async def test_an_outcome_reported_twice_is_recorded_once(stack: Stack) -> None:
    asked = await stack.chat()
    report = {
        "conversation_id": asked["understudy"]["conversation_id"],
        "metric": "accepted",
        "value": 1,
        "id": "order-7",
    }
    first = await stack.call("POST", "/v1/outcomes", json=report)
    second = await stack.call("POST", "/v1/outcomes", json=report)
    assert (first["recorded"], second["recorded"]) == (True, False)
    with stack.database.read() as session:
        assert len(session.scalars(select(Outcome)).all()) == 1


async def test_what_does_not_exist_or_cannot_be_read_is_said_so(stack: Stack) -> None:
    assert (await stack.call("GET", "/v1/conversations/conv_0"))["status"] == 404
    nothing = {"conversation_id": "conv_0", "metric": "csat", "value": 4}
    assert (await stack.call("POST", "/v1/outcomes", json=nothing))["status"] == 404
    wrong = await stack.call("POST", "/v1/outcomes", json={"metric": "csat", "value": 4})
    assert (wrong["status"], wrong["error"]["param"]) == (400, "conversation_id")
    assert (await stack.call("GET", "/v1/nothing"))["error"]["code"] == "not_found"
    method = await stack.call("GET", "/v1/chat/completions")
    assert (method["status"], method["error"]["code"]) == (405, "method_not_allowed")


async def test_an_answer_is_explained(stack: Stack) -> None:
    asked = await stack.chat("why?")
    turn = asked["understudy"]["turn_id"]
    found = await stack.admin("GET", f"explain/{turn}")
    assert found["turn"]["asked"] == "why?"
    assert found["version"]["id"] == "support-base"
    assert (await stack.admin("GET", "explain/turn_0"))["status"] == 404


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), ("Basic x", 401), ("Bearer", 401), ("Bearer wrong", 401)],
)
async def test_without_a_key_nothing_is_told(
    stack: Stack, authorization: str | None, status: int
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/v1/models", "/v1/conversations/x", "/v1/admin/versions"):
        assert (await stack.call("GET", path, headers=headers))["status"] == status
    asked = await stack.call("POST", "/v1/chat/completions", headers=headers, data=b"{}")
    assert (asked["status"], asked["error"]["code"]) == (401, "invalid_api_key")


async def test_a_key_opens_what_its_scope_says(stack: Stack) -> None:
    with stack.database.write() as session:
        customer = keys.create(session, name="shop", scope=KeyScope.CUSTOMER, actor="ops")
        admin = keys.create(session, name="ops", scope=KeyScope.ADMIN, actor="ops")

    async def status(path: str, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return int((await stack.call("GET", path, headers=headers))["status"])

    assert await status("/v1/models", customer) == 200
    assert await status("/v1/admin/versions", customer) == 403
    assert await status("/v1/admin/versions", admin) == 200
    assert await status("/v1/models", admin) == 200
    assert await status("/v1/admin/versions", stack.key("admin")) == 200


async def test_ready_names_the_versions_that_serve(stack: Stack) -> None:
    ready = await stack.call("GET", "/health/ready")
    assert (ready["status"], ready["versions"]) == (200, {"support": "support-base"})


async def test_the_openapi_description_lists_every_endpoint(stack: Stack) -> None:
    described = await stack.call("GET", "/openapi.json")
    assert "/v1/chat/completions" in described["paths"]
    assert "/v1/admin/explain/{turn_id}" in described["paths"]


async def test_text_that_no_database_keeps_is_refused(stack: Stack) -> None:
    await stack.chat(headers={"X-Conversation-Id": "mine"})
    escalate = "/v1/conversations/mine/escalate"
    report = {"conversation_id": "mine", "metric": "csat", "value": 4, "id": "order-7"}
    refused = [await stack.call("POST", escalate, json={"cause": "he\0lp"})]
    for field in ("conversation_id", "metric", "id"):
        changed = {**report, field: f"a\0{report[field]}"}
        refused.append(await stack.call("POST", "/v1/outcomes", json=changed))
    refused.append(await stack.call("GET", "/v1/conversations/a%00b"))
    refused.append(await stack.call("POST", "/v1/conversations/a%00b/escalate"))
    refused.append(await stack.admin("GET", "explain/a%00b"))
    refused.append(await stack.admin("POST", "promote", version="a\0b"))
    assert [answer["status"] for answer in refused] == [400] * len(refused)
    assert all("NUL" in answer["error"]["message"] for answer in refused)
    assert (await stack.call("POST", "/v1/outcomes", json=report))["recorded"]


async def test_the_audit_names_the_key_that_changed_something(stack: Stack) -> None:
    with stack.database.write() as session:
        key = keys.create(session, name="ann's laptop", scope=KeyScope.ADMIN, actor="ops")
    arms = {"arms": [{"name": "a", "version": "support-base", "share": 0.5}]}
    path = "/v1/admin/experiments"
    theirs = {"Authorization": f"Bearer {key}"}
    started = await stack.call("POST", path, json=arms, headers=theirs)
    assert started["state"] == "running"
    assert (await stack.admin("POST", "experiments/stop"))["state"] == "stopped"
    with stack.database.read() as session:
        noted = session.execute(select(Audit.action, Audit.actor)).all()
    who = {row.action: row.actor for row in noted}
    assert who["start_experiment"] == "ann's laptop"
    assert who["stop_experiment"] == "admin key"
