"""`auth.*`, `oauth.*` and `apps.*`: who the app is, and how it gets in and out of a workspace."""

from bot.standin.methods.call import SPECIAL, Call, Method
from bot.standin.refusal import Refused
from bot.standin.workspace import APP, Json


def test(call: Call) -> Json:
    """Who the bot is."""
    return {
        "url": f"{call.url}/",
        "team": call.workspace.name,
        "user": "understudy",
        "team_id": call.workspace.team,
        "user_id": call.workspace.bot_user,
        "bot_id": call.workspace.bot,
        "is_enterprise_install": False,
    }


def access(call: Call) -> Json:
    """Exchange a code, or a refresh token, for what opens a workspace."""
    if call.given.get("grant_type") == "refresh_token":
        old = call.tokens.refresh(call.text("refresh_token", code="invalid_refresh_token"))
        return _granted(call, old.team, old.scopes)
    if call.given.get("grant_type") not in (None, "", "authorization_code"):
        raise Refused("invalid_grant_type")
    redirect_uri = str(call.given.get("redirect_uri") or "")
    code = call.tokens.use_code(call.text("code", code="invalid_code"), redirect_uri=redirect_uri)
    return _granted(call, code.team, code.scopes)


def exchange(call: Call) -> Json:
    """Turn a token that lives for ever into one that rotates."""
    if call.tokens.lifetime_seconds is None:
        raise Refused("token_rotation_not_enabled")
    call.token.is_revoked = True
    return _granted(call, call.token.team, call.token.scopes)


def _granted(call: Call, team: str, scopes: frozenset[str]) -> Json:
    workspace = call.workspace_of(team)
    return {
        **call.tokens.issue(team, scopes),
        "token_type": "bot",
        "scope": ",".join(sorted(scopes)),
        "bot_user_id": workspace.bot_user,
        "app_id": APP,
        "team": {"id": team, "name": workspace.name},
        "enterprise": None,
        "authed_user": {"id": "U0ANN"},
        "is_enterprise_install": False,
    }


def revoke(call: Call) -> Json:
    """Give a token back."""
    if call.flag("test"):
        return {"revoked": False}
    call.token.is_revoked = True
    call.tokens.is_unkept = True
    tokens = {"oauth": [], "bot": [call.workspace.bot_user]}
    call.events.append({"type": "tokens_revoked", "tokens": tokens})
    return {"revoked": True}


def uninstall(call: Call) -> Json:
    """Take the app out of the workspace."""
    for token in call.tokens.of_team(call.workspace.team):
        token.was_uninstalled = True
    call.tokens.is_unkept = True
    call.events.append({"type": "app_uninstalled"})
    return {}


METHODS = {
    "auth.test": Method(test, SPECIAL),
    "auth.revoke": Method(revoke, SPECIAL),
    "oauth.v2.access": Method(access, SPECIAL, is_open=True, is_for_app=True),
    "oauth.v2.exchange": Method(exchange, SPECIAL, is_for_app=True),
    "apps.uninstall": Method(uninstall, SPECIAL, is_for_app=True),
}
