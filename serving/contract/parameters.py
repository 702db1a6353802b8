"""Parameters of paths, queries and headers, as routes declare them and the document shows them."""

from typing import Annotated, Any

from fastapi import Header, Path, Query

from serving.chat_request import LONGEST_KEY
from serving.storable import Storable

_CURSOR = r"^(start|(-1|[0-9]{1,9})\.[0-9]{1,9})$"
_CURSOR_OR_NONE = _CURSOR.replace("(start", "(|start")  # as a client sends that has seen nothing

ConversationId = Annotated[
    Storable,
    Path(description="Its id, or your own key for it.", examples=["chat-7"]),
]
TurnId = Annotated[
    Storable, Path(description="An answer's id.", examples=["turn_01m86eb5ns2ff35rgeqs7d0fjh"])
]
ModelId = Annotated[Storable, Path(description="An assistant's name.", examples=["support"])]
AssistantName = Annotated[
    Storable | None,
    Query(description="May be left out where there is one only.", examples=["support"]),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was seen; all that came after it follows.",
        examples=["-1.0"],
        json_schema_extra={"pattern": _CURSOR_OR_NONE},
    ),
]
From = Annotated[
    str | None,
    Query(
        alias="from",
        description="`start`, or the `cursor` of a conversation that was read; from now on where "
        "it is left out.",
        examples=["start"],
        json_schema_extra={"pattern": _CURSOR},
    ),
]


def in_header(name: str, description: str, example: str | None) -> dict[str, Any]:
    """An optional header of a route that reads its headers itself."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "maxLength": LONGEST_KEY},
        **({"example": example} if example else {}),
    }
