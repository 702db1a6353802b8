"""Keeping the pretended workspaces in a folder, so that they are there again after a restart.

Only what has changed is written: a long day's messages would be too much to write again and again.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bot.standin.message_log import MessageLog
from bot.standin.tokens import Tokens
from bot.standin.workspace import Json, Workspace
from records.settings import make_folder

_TABLE = """create table if not exists documents (
    team text, kind text, key text, value text, primary key (team, kind, key)) without rowid"""
_WRITE = "insert or replace into documents values (?, ?, ?, ?)"
_KINDS = {
    "channel": "channels",
    "user": "users",
    "home": "homes",
    "file": "files",
    "usergroup": "usergroups",
    "seen": "seen",
}


class Keeping:
    """A folder with the workspaces' state and their uploaded files."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "workspaces.db"
        self._files = folder / "files"
        self._database: sqlite3.Connection | None = None

    def load(self, workspace_of: Callable[[str], Workspace], tokens: Tokens) -> None:
        """Go on from what was kept, if anything was."""
        make_folder(self._files)
        self._database = sqlite3.connect(self._state, check_same_thread=False)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = off")
        self._database.execute(_TABLE)
        rows = "select team, kind, key, value from documents order by team, kind, key"
        for team, kind, key, value in self._database.execute(rows):
            if kind == "tokens":
                tokens.load(json.loads(value))
            else:
                _put(workspace_of(team), kind, key, json.loads(value))

    def save(self, workspaces: Iterable[Workspace], tokens: Tokens) -> None:
        """Keep what has changed."""
        assert self._database is not None
        with self._database:
            for workspace in workspaces:
                for kind, key in workspace.unkept:
                    self._write(workspace.team, kind, key, _get(workspace, kind, key))
                workspace.unkept.clear()
            if tokens.is_unkept:
                self._write("", "tokens", "", tokens.dumped())

    def _write(self, team: str, kind: str, key: str, value: Any) -> None:
        assert self._database is not None
        if value is None:
            place = "delete from documents where team = ? and kind = ? and key = ?"
            self._database.execute(place, (team, kind, key))
        else:
            self._database.execute(_WRITE, (team, kind, key, json.dumps(value)))

    def close(self) -> None:
        """Let go of the state."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def write_file(self, file_id: str, content: bytes) -> None:
        """Keep an uploaded file's bytes."""
        (self._files / file_id).write_bytes(content)

    def path_of(self, file_id: str) -> Path:
        """Where an uploaded file lies."""
        return self._files / file_id


def _get(workspace: Workspace, kind: str, key: str) -> Json | None:
    if kind == "message":
        channel, _, ts = key.partition("/")
        return workspace.logs[channel].get(ts)
    found: dict[str, Json] = getattr(workspace, _KINDS[kind])
    return found.get(key)


def _put(workspace: Workspace, kind: str, key: str, value: Json) -> None:
    if kind == "message":
        channel, _, ts = key.partition("/")
        workspace.logs.setdefault(channel, MessageLog()).add(value)
        seconds, parts = ts.split(".")
        workspace.last_ts = max(workspace.last_ts, int(seconds) * 1_000_000 + int(parts))
    else:
        getattr(workspace, _KINDS[kind])[key] = value
        if kind == "channel":
            workspace.logs.setdefault(key, MessageLog())
