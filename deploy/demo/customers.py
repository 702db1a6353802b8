"""The demo's customers: real queries, asked through the endpoint with the official client.

Whether an answer served them is judged by the policy, as the customer would find out later; a
served customer says so (outcome `accepted`), some of the others ask for a person.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp
from openai import AsyncOpenAI

from deploy.demo.queries import Policy, Query
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
    client = AsyncOpenAI(base_url=f"{endpoint.url}/v1", api_key=endpoint.key, max_retries=0)

    async def one(number: int, query: Query) -> Served:
        async with gate:
            served = await ask(client, endpoint, query, policy=policy, name=f"{prefix}-{number}")
        on_answer(served)
        return served

    async with client:
        return list(await asyncio.gather(*(one(i, q) for i, q in enumerate(queries))))


async def ask(
    client: AsyncOpenAI, endpoint: Endpoint, query: Query, *, policy: Policy, name: str
) -> Served:
    """Ask one query and judge the answer by the policy."""
    answer = await client.chat.completions.create(
        model=endpoint.assistant,
        messages=[{"role": "user", "content": query.text}],
        extra_headers={"X-Conversation-Id": name, "X-Customer-Id": f"customer-{name}"},
    )
    facts = (answer.model_extra or {})["understudy"]
    text = answer.choices[0].message.content or ""
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
    )


async def say_how_it_went(
    endpoint: Endpoint, served: Sequence[Served], *, asking_for_a_person: Sequence[Served]
) -> None:
    """Report an `accepted` outcome for each customer; some go on and ask for a person."""
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
            for one in asking_for_a_person
        ]
        await asyncio.gather(*reports, *wishes)
