"""The people of the pretended workspace, so that there is somebody to be and to choose."""

from typing import Any

Json = dict[str, Any]

_NAMES = {
    "U0ANN": "Ann Archer",
    "U0BEN": "Ben Okafor",
    "U0CEM": "Cem Yilmaz",
    "U0DANA": "Dana Petrov",
    "U0DEE": "Dee Larsen",
    "U0EVA": "Eva Novak",
    "U0FAY": "Fay Zhang",
    "U0OLGA": "Olga Haddad",
}
_COLOURS = ("4a154b", "1264a3", "2bac76", "b8591b", "9e3699", "3c989f")


def people(team: str) -> list[Json]:
    """Everybody who is there from the start."""
    return [person(user, team) for user in _NAMES]


def person(user: str, team: str) -> Json:
    """A person as `users.info` shows them; whoever is not known by name is called by their id."""
    called = user.removeprefix("U").lstrip("0").lower() or user.lower()
    real_name = _NAMES.get(user, called.capitalize())
    return {
        "id": user,
        "team_id": team,
        "name": called,
        "real_name": real_name,
        "deleted": False,
        "color": _COLOURS[sum(user.encode()) % len(_COLOURS)],
        "is_bot": False,
        "is_app_user": False,
        "tz": "Europe/Berlin",
        "tz_offset": 3600,
        "profile": {
            "real_name": real_name,
            "display_name": real_name.split()[0],
            "email": f"{called}@example.com",
            "team": team,
        },
    }


def bot(user: str, *, team: str, bot_id: str, app: str) -> Json:
    """The app's own user."""
    return {
        **person(user, team),
        "name": "understudy",
        "real_name": "Understudy",
        "is_bot": True,
        "profile": {
            "real_name": "Understudy",
            "display_name": "Understudy",
            "bot_id": bot_id,
            "api_app_id": app,
            "team": team,
        },
    }
