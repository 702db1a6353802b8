"""The demo's support agents: they see only what Slack shows them, and know the policy.

They press the same buttons that people press, through the stand-in for Slack.
"""

import asyncio
import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.standin.people import Message, Person, buttons_of
from deploy.demo.queries import Policy, Query, Topic
from records.text import normalise

AGENTS = ("U0ANN", "U0BEN", "U0CEM")
REVIEWER = "U0DANA"
OPERATOR = "U0OLGA"

_SHOWN = 120
"""How much of a question is compared: messages cut long ones short."""
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Team:
    """Who works in the channel, and what they know of the questions customers ask."""

    standin: str
    channel: str
    policy: Policy
    topics: dict[str, str]
    """Topic by the normalised, shortened question."""

    def person(self, user_id: str) -> Person:
        """One of the team, in Slack."""
        return Person(user_id, self.standin)


def make_team(standin: str, channel: str, policy: Policy, queries: Iterable[Query]) -> Team:
    """A team that knows the policy for these queries."""
    topics = {_key(query.text): query.topic for query in queries}
    return Team(standin=standin, channel=channel, policy=policy, topics=topics)


async def handle_escalations(
    team: Team, escalations: Iterable[str], *, on_done: Callable[[], None]
) -> None:
    """Take over, answer, flag and resolve each escalation; a reviewer approves the example."""
    waiting = asyncio.Queue[str]()
    for escalation in escalations:
        waiting.put_nowait(escalation)

    async def work(agent: Person) -> None:
        while not waiting.empty():
            await _handle(team, agent, waiting.get_nowait())
            on_done()

    await asyncio.gather(*(work(team.person(agent)) for agent in AGENTS))


async def _handle(team: Team, agent: Person, escalation: str) -> None:
    """One escalation, from take-over to the approved example."""
    card = await _card(team, agent, action="take_over", value=escalation)
    answer, topic = await _read_thread(team, agent, card)
    await agent.click(team.channel, card["ts"], "take_over")
    await _card(team, agent, action="resolve", value=escalation)  # it says so: now one may write
    await agent.reply(team.channel, card["ts"], topic.answer)
    await agent.click(team.channel, answer["ts"], "flag_answer")
    reason = "should_have_escalated" if topic.handover else "wrong"
    entered: dict[str, object] = {"reason": reason, "correction": topic.answer}
    await _fill(agent, entered)
    await agent.click(team.channel, card["ts"], "resolve")
    await _fill(agent, {"resolution": "solved"})
    await _approve(team, card)


async def _fill(agent: Person, entered: dict[str, object]) -> None:
    """Wait for the form that was asked for, fill it in and send it."""

    async def look() -> bool:
        view = await agent.open_view()
        fields = {
            b["element"]["action_id"] for b in (view or {}).get("blocks") or [] if "element" in b
        }
        return entered.keys() <= fields

    await agent.wait_for(look, timeout=_PATIENCE_SECONDS)
    await agent.submit(entered)


async def _card(team: Team, agent: Person, *, action: str, value: str) -> Message:
    async def look() -> Message | None:
        for message in await agent.messages(team.channel):
            if buttons_of(message).get(action) == value:
                return message
        return None

    return await agent.wait_for(look, timeout=_PATIENCE_SECONDS)


async def _read_thread(team: Team, agent: Person, card: Message) -> tuple[Message, Topic]:
    """The assistant's answer in a card's thread, and the topic of the question before it."""

    async def look() -> tuple[Message, Topic] | None:
        topic: Topic | None = None
        for message in await agent.thread(team.channel, card["ts"]):
            said = html.unescape(message.get("text", ""))
            name = team.topics.get(_key(said.removeprefix("Customer: ")))
            if name is not None:
                topic = team.policy.topics[name]
            if topic is not None and "flag_answer" in buttons_of(message):
                return message, topic
        return None

    return await agent.wait_for(look, timeout=_PATIENCE_SECONDS)


async def _approve(team: Team, card: Message) -> None:
    """Let the reviewer approve the example that a card's thread offers."""
    reviewer = team.person(REVIEWER)

    async def look() -> Message | None:
        for message in await reviewer.thread(team.channel, card["ts"]):
            if "approve_example" in buttons_of(message):
                return message
        return None

    example = await reviewer.wait_for(look, timeout=_PATIENCE_SECONDS)
    await reviewer.click(team.channel, example["ts"], "approve_example")


async def press(team: Team, action: str, *, timeout_seconds: float = 60) -> None:
    """Let the operator press the newest button of that kind in the channel."""
    operator = team.person(OPERATOR)

    async def look() -> str | None:
        offering = [m for m in await operator.messages(team.channel) if action in buttons_of(m)]
        return str(offering[-1]["ts"]) if offering else None

    ts = await operator.wait_for(look, timeout=timeout_seconds)
    await operator.click(team.channel, ts, action)


async def ask_to_retrain(team: Team) -> None:
    """Let the operator type /retrain, and send the form as it is."""
    operator = team.person(OPERATOR)
    await operator.slash("/retrain", channel=team.channel)

    async def look() -> bool:
        view = await operator.open_view()
        return bool(view and view.get("submit"))

    await operator.wait_for(look, timeout=_PATIENCE_SECONDS)
    await operator.submit({})


def _key(text: str) -> str:
    return normalise(text)[:_SHOWN]
