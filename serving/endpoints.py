"""Every endpoint of the gateway, in the order in which the document shows them."""

from fastapi import FastAPI

from serving import (
    admin_routes,
    agent_routes,
    chat_routes,
    conversation_routes,
    health_routes,
    outcome_routes,
    turn_routes,
)

_PARTS = (
    chat_routes,
    conversation_routes,
    turn_routes,
    agent_routes,
    outcome_routes,
    admin_routes,
    health_routes,
)


def include_endpoints(app: FastAPI) -> None:
    """Give an application all endpoints."""
    for part in _PARTS:
        app.include_router(part.router)
