"""A conversation as its customer's backend reads it, and what agents see of it besides. Pure."""

from collections.abc import Sequence
from typing import Any

from records.events import Cursor
from records.messages import Role
from records.tables import Conversation, Escalation, Turn
from serving.conversation_events import written


def conversation_view(
    conversation: Conversation,
    turns: Sequence[Turn],
    *,
    escalation: Escalation | None,
    last_event: int,
    for_agents: bool,
) -> dict[str, Any]:
    """All turns, the agent's included, and who is expected to speak.

    `cursor` is where a stream of events goes on from here. Who the agent is, and what was taken
    back, only agents read.
    """
    seen = Cursor(turns[-1].position if turns else -1, last_event)
    view = {
        "id": conversation.id,
        "assistant": conversation.assistant,
        "key": conversation.key,
        "customer": conversation.customer,
        "state": conversation.state,
        "escalation_id": escalation.id if escalation else None,
        "cursor": written(seen),
        "turns": [
            _turn(turn, for_agents=for_agents)
            for turn in turns
            if for_agents or turn.removed_at is None
        ],
    }
    if for_agents:
        view["owner"] = conversation.owner
        view["reason"] = escalation.reason if escalation else None
        view["cause"] = escalation.cause if escalation else None
    return view


def _turn(turn: Turn, *, for_agents: bool) -> dict[str, Any]:
    view = {
        "id": turn.id,
        "position": turn.position,
        "role": turn.role,
        "content": turn.content,
        "status": turn.status,
        "version": turn.version,
        "created_at": turn.created_at.isoformat(),
    }
    if turn.edited_at is not None:
        view["edited_at"] = turn.edited_at.isoformat()
    if for_agents:
        view["author"] = turn.author
        view["withheld"] = turn.withheld
        if turn.role is Role.AGENT:
            view["delivered_at"] = turn.delivered_at and turn.delivered_at.isoformat()
            view["removed_at"] = turn.removed_at and turn.removed_at.isoformat()
    return view
