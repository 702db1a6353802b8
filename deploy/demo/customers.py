"""The demo's customers: real queries, asked through the endpoint with the official client.

Whether an answer served them is judged by the policy, as the customer would find out later; a
served customer says so (outcome `accepted`), some of the others go on and ask for a person.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from openai import AsyncOpenAI

from deploy.demo.queries import ASK_FOR_A_PERSON, Policy, Query
from records.text import token_f1

RIGHT_F1 = 0.8
CONCURRENCY = 16


@dataclass(frozen=True)
class Served:
    """What a customer asked and got."""

    query: Query
    conversation_id: str
    turn_id: str
    version: str | None
    answer: str
    escalated: bool
    served_right: bool
    wants_person: bool = False
    """Whether the customer said so."""


@dataclass(frozen=True)
class Endpoint:
    """Where customers ask, and the key of their backend."""

    url: str
    key: str
    assistant: str


async def ask_all(
    endpoint: Endpoint,
    queries: Sequence[Query],
    *,
    policy: Policy,
    prefix: str,
    on_answer: Callable[[Served], None],
) -> list[Served]:
    """Ask each query as a customer of its own, 16 at a time; in the order of the queries."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async with _client(endpoint) as client:

        async def one(number: int, query: Query) -> Served:
            async with gate:
                name = f"{prefix}-{number}"
                served = await ask(client, endpoint, query, policy=policy, name=name)
            on_answer(served)
            return served

        return list(await asyncio.gather(*(one(i, q) for i, q in enumerate(queries))))


def _client(endpoint: Endpoint) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{endpoint.url}/v1", api_key=endpoint.key, max_retries=0)


async def insist(
    endpoint: Endpoint, served: Sequence[Served], *, phrases: Sequence[str]
) -> list[Served]:
    """Go on in each conversation by asking for a person; served right if that is understood."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async with _client(endpoint) as client:

        async def one(number: int, before: Served) -> Served:
            async with gate:
                text, facts = await _say(
                    client,
                    endpoint,
                    phrases[number % len(phrases)],
                    conversation=before.conversation_id,
                )
            escalated = bool(facts["escalated"])
            return replace(
                before,
                answer=text,
                escalated=escalated,
                served_right=escalated,
                wants_person=True,
            )

        return list(await asyncio.gather(*(one(i, s) for i, s in enumerate(served))))


async def _say(
    client: AsyncOpenAI,
    endpoint: Endpoint,
    text: str,
    *,
    conversation: str,
    customer: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """One message of a customer; the answer's text and what the gateway says of it."""
    headers = {"X-Conversation-Id": conversation}
    if customer is not None:
        headers["X-Customer-Id"] = customer
    answer = await client.chat.completions.create(
        model=endpoint.assistant,
        messages=[{"role": "user", "content": text}],
        extra_headers=headers,
    )
    return answer.choices[0].message.content or "", (answer.model_extra or {})["understudy"]


async def ask(
    client: AsyncOpenAI, endpoint: Endpoint, query: Query, *, policy: Policy, name: str
) -> Served:
    """Ask one query and judge the answer by the policy."""
    text, facts = await _say(
        client, endpoint, query.text, conversation=name, customer=f"customer-{name}"
    )
    topic = policy.topics[query.topic]
    escalated = bool(facts["escalated"])
    right = token_f1(text, topic.answer) >= RIGHT_F1
    return Served(
        query=query,
        conversation_id=facts["conversation_id"],
        turn_id=facts["turn_id"],
        version=facts["version"],
        answer=text,
        escalated=escalated,
        served_right=escalated if topic.handover else (right and not escalated),
        wants_person=query.topic == ASK_FOR_A_PERSON,
    )


async def say_how_it_went(endpoint: Endpoint, served: Sequence[Served]) -> None:
    """Report an `accepted` outcome for each customer; who got no person presses the button."""
    gate = asyncio.Semaphore(CONCURRENCY)
    headers = {"Authorization": f"Bearer {endpoint.key}"}
    async with aiohttp.ClientSession(endpoint.url, headers=headers) as session:

        async def post(path: str, body: dict[str, object]) -> None:
            async with gate, session.post(path, json=body) as response:
                response.raise_for_status()

        reports = [
            post(
                "/v1/outcomes",
                {
                    "conversation_id": one.conversation_id,
                    "metric": "accepted",
                    "value": int(one.served_right),
                    "id": f"accepted-{one.conversation_id}",
                },
            )
            for one in served
        ]
        wishes = [
            post(
                f"/v1/conversations/{one.conversation_id}/escalate",
                {"cause": "The customer pressed 'This didn't help, I want a person'."},
            )
            for one in served
            if one.wants_person and not one.escalated
        ]
        await asyncio.gather(*reports, *wishes)
