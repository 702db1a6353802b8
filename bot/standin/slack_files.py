"""Images in blocks that are files of the workspace: they must be there before they are shown."""

from collections.abc import Iterator
from typing import Any

from bot.standin.refusal import Refused
from bot.standin.workspace import Json, Workspace


def check_files(workspace: Workspace, blocks: Any, *, code: str) -> None:
    """See that every image that names a file names one that was uploaded.

    Raises:
        Refused: with `code`, one does not.
    """
    for named in _named(blocks):
        found = workspace.files.get(str(named.get("id"))) or _at(workspace, named.get("url"))
        if found is None or not found["uploaded"] or not found["mimetype"].startswith("image/"):
            raise Refused(code, messages=["invalid slack file"])


def _at(workspace: Workspace, url: Any) -> Json | None:
    files = workspace.files.values()
    return next((f for f in files if url in (f["url_private"], f["permalink"])), None)


def _named(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, dict):
        if isinstance(node.get("slack_file"), dict):
            yield node["slack_file"]
        for value in node.values():
            yield from _named(value)
