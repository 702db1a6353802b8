"""What support agents do in a conversation from elsewhere than Slack: a console, another desk.

The desk says which agent it is that acts; its key, of scope `agent`, is what is trusted.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from records import conversations, endings, escalations
from records.errors import Conflict, Forbidden
from records.ids import utc_now
from records.states import EscalationReason, Resolution
from records.tables import Conversation
from serving.body import Body
from serving.contract import conversations as contract
from serving.contract.parameters import ConversationId
from serving.conversation_routes import find, tell, tell_escalation
from serving.gateway import gateway_of, need_agent
from serving.problems import json_response
from serving.storable import Storable, Words

router = APIRouter(
    prefix="/v1/conversations/{conversation_id}/agent",
    tags=["agents"],
    dependencies=[Depends(need_agent)],
)

_WISH = EscalationReason.FLAG
"""Why a person has a conversation that nobody handed over: an agent wished it."""
_MENTION = re.compile(r"<@([^<>]*)>")


class AgentBody(Body):
    """Who acts: the agent's id at their desk."""

    agent: Annotated[Words, Field(max_length=64)]


class ReplyBody(AgentBody):
    """An agent's words to the customer. Sent again with the same `id`, they are said once."""

    content: Words
    id: Annotated[Storable, Field(min_length=1, max_length=64)]


class ResolveBody(AgentBody):
    """How it ended, and whether the agents' longest reply is proposed as an example."""

    resolution: Literal["solved", "partly_solved", "not_solved", "no_reply", "not_needed"] = (
        "solved"
    )
    save_example: bool = True


@router.post("/take-over", **contract.TAKE_OVER)
async def take_over(request: Request, conversation_id: ConversationId, body: AgentBody) -> Response:
    """Make an agent the one who speaks to the customer; the model is silent from then on.

    Where nobody has asked for a person yet, the agent's wish opens the escalation.
    """

    def act(session: Session, found: Conversation) -> None:
        escalation = escalations.escalate(
            session, found.id, reason=_WISH, cause="An agent took the conversation over."
        )
        escalations.take_over(session, escalation.id, agent=body.agent)

    return await _done(request, conversation_id, act)


@router.post("/reply", **contract.REPLY)
async def reply(request: Request, conversation_id: ConversationId, body: ReplyBody) -> Response:
    """Say something to the customer, as the agent who has taken over."""

    def act(session: Session, found: Conversation) -> dict[str, Any]:
        key = f"agent:{found.id}:{body.id}"
        said = conversations.turn_from(session, key)
        turn = escalations.reply(
            session,
            escalations.latest(session, found.id).id,
            agent=body.agent,
            content=body.content,
            source_key=key,
        )
        return {"turn_id": turn.id, "position": turn.position, "known_already": said is not None}

    return await _done(request, conversation_id, act)


@router.post("/typing", **contract.TYPING)
async def typing(request: Request, conversation_id: ConversationId, body: AgentBody) -> Response:
    """Show the customer for a few seconds that the agent is writing; to be sent while they do."""

    def act(session: Session, found: Conversation) -> None:
        escalation = escalations.latest(session, found.id)
        escalations.typing(session, escalation.id, agent=body.agent, now=utc_now())

    return await _done(request, conversation_id, act)


@router.post("/resolve", **contract.RESOLVE)
async def resolve(request: Request, conversation_id: ConversationId, body: ResolveBody) -> Response:
    """End the escalation, as solved if nothing else is said; the assistant may answer again.

    The agents' longest reply is proposed as an example to learn from, unless `save_example` is
    false.
    """

    def act(session: Session, found: Conversation) -> None:
        endings.resolve(
            session,
            escalations.latest(session, found.id).id,
            agent=body.agent,
            resolution=Resolution(body.resolution),
            save_example=body.save_example,
        )

    return await _done(request, conversation_id, act)


@router.post("/hand-back", **contract.HAND_BACK)
async def hand_back(request: Request, conversation_id: ConversationId, body: AgentBody) -> Response:
    """End the escalation without claiming that it is solved; the assistant answers again."""

    def act(session: Session, found: Conversation) -> None:
        endings.hand_back(session, escalations.latest(session, found.id).id, agent=body.agent)

    return await _done(request, conversation_id, act)


async def _done(
    request: Request,
    conversation_id: str,
    act: Callable[[Session, Conversation], dict[str, Any] | None],
) -> Response:
    """Do something in a conversation, tell its streams, and say how it stands."""

    def work(session: Session) -> tuple[dict[str, Any], str | None]:
        found = find(session, conversation_id)
        before = conversations.open_escalation(session, found.id)
        try:
            more = act(session, found)
        except (Conflict, Forbidden) as error:
            raise type(error)(_MENTION.sub(r"\1", str(error))) from error  # for Slack it mentions
        open_one = conversations.open_escalation(session, found.id)
        view = {
            "conversation_id": found.id,
            "state": found.state,
            "owner": found.owner,
            "escalation_id": open_one.id if open_one else None,
            **(more or {}),
        }
        return view, found.assistant if open_one and not before else None

    done, newly_of = await gateway_of(request).recorder.write(work)
    tell(request, done["conversation_id"])
    if newly_of is not None:
        tell_escalation(request, assistant=newly_of, reason=_WISH)
    return json_response(done)
