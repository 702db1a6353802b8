"""The app is removed from a workspace, or its token revoked: what was installed is forgotten."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.workspaces.workspaces import Workspaces


def register(app: AsyncApp, workspaces: Workspaces) -> None:
    """Listen to both events; a newer installation in the same workspace stays."""

    @app.event("app_uninstalled")
    async def uninstalled(body: dict[str, Any]) -> None:
        await workspaces.leave(body["team_id"], at=float(body["event_time"]))

    @app.event("tokens_revoked")
    async def revoked(event: dict[str, Any], body: dict[str, Any]) -> None:
        if (event.get("tokens") or {}).get("bot"):
            await workspaces.leave(body["team_id"], at=float(body["event_time"]))
