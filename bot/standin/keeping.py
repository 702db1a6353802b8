"""Keeping the pretended workspace in a folder, so that it is there again after a restart."""

import json
import os
from pathlib import Path

from bot.standin.workspace import Workspace
from records.settings import make_folder


class Keeping:
    """A folder with the workspace's state and its uploaded files."""

    def __init__(self, folder: Path) -> None:
        self._state = folder / "workspace.json"
        self._files = folder / "files"
        self._kept = -1

    def load(self, workspace: Workspace) -> None:
        """Go on from what was kept, if anything was."""
        make_folder(self._files)
        if self._state.is_file():
            workspace.load(json.loads(self._state.read_text()))
        self._kept = workspace.revision

    def save(self, workspace: Workspace) -> None:
        """Keep the state, unless nothing has changed."""
        if workspace.revision == self._kept:
            return
        self._kept = workspace.revision
        fresh = self._state.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(workspace.dumped()))
        fresh.replace(self._state)

    def write_file(self, file_id: str, content: bytes) -> None:
        """Keep an uploaded file's bytes."""
        (self._files / file_id).write_bytes(content)

    def path_of(self, file_id: str) -> Path:
        """Where an uploaded file lies."""
        return self._files / file_id
