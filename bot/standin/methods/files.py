"""`files.*`: what is uploaded, in the two steps that Slack wants, and what is known of it."""

import mimetypes
import secrets
from pathlib import PurePath

from bot.standin.events import without_metadata
from bot.standin.given import checked_blocks
from bot.standin.methods.call import TIER_4, Call, Method
from bot.standin.methods.chat import author
from bot.standin.refusal import Refused
from bot.standin.workspace import Json, Workspace

_LONGEST_ALT = 1000
_LARGEST_SNIPPET = 1_000_000
_SNIPPETS = (
    *("text", "markdown", "python", "javascript", "json", "yaml", "csv", "tsv", "diff", "html"),
    *("css", "sql", "shell", "xml", "go", "java", "rust", "typescript", "c", "cpp", "ruby", "php"),
)


def upload_url(call: Call) -> Json:
    """Where the bytes of a file go."""
    name = call.text("filename")
    length = str(call.given.get("length") or "0")
    if not length.isdigit() or int(length) == 0:
        raise Refused("missing_argument", messages=["missing required field: length"])
    alt, snippet = str(call.given.get("alt_txt") or ""), call.given.get("snippet_type")
    if len(alt) > _LONGEST_ALT:
        raise Refused("alt_txt_too_large")
    if snippet and snippet not in _SNIPPETS:
        raise Refused("unknown_snippet_type")
    if snippet and int(length) > _LARGEST_SNIPPET:
        raise Refused("snippet_too_large")
    file = new_file(call.workspace, name, int(length), user=call.workspace.bot_user, url=call.url)
    file["alt_txt"] = alt
    if snippet:
        file |= {"mode": "snippet", "filetype": snippet, "editable": True}
    return {"file_id": file["id"], "upload_url": f"{call.url}/upload/{file['id']}"}


def new_file(workspace: Workspace, name: str, length: int, *, user: str, url: str) -> Json:
    """A file whose bytes are still to come."""
    file_id = f"F{secrets.token_hex(5).upper()}"
    address = f"{url}/files/{workspace.team}-{file_id}/{PurePath(name).name}"
    file = {
        "id": file_id,
        "created": int(workspace.clock()),
        "name": name,
        "title": name,
        "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "filetype": PurePath(name).suffix.removeprefix(".") or "text",
        "user": user,
        "user_team": workspace.team,
        "editable": False,
        "size": length,
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "file_access": "visible",
        "alt_txt": "",
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "uploaded": False,
    }
    workspace.files[file_id] = file
    workspace.touch("file", file_id)
    return file


def complete_upload(call: Call) -> Json:
    """Share uploaded files in a channel or thread."""
    named = call.json("files")
    if not isinstance(named, list) or not named:
        raise Refused("invalid_arguments", messages=["missing required field: files"])
    files = [_uploaded(call, f) for f in named]
    several = str(call.given.get("channels") or "").split(",")
    for channel in [c for c in [call.given.get("channel_id"), *several] if c]:
        _share(call, str(channel), files)
    return {"files": files}


def _share(call: Call, channel: str, files: list[Json]) -> None:
    where = call.workspace.find_channel(channel)
    known = call.workspace.channels.get(where or "")
    if where is None or known is None:
        raise Refused("channel_not_found")
    if not known["is_member"] or known["is_archived"]:
        raise Refused("not_in_channel")
    message = {
        **author(call),
        "subtype": "file_share",
        "text": call.given.get("initial_comment") or "",
        "blocks": checked_blocks(call.given.get("blocks")),
        "files": files,
    }
    posted = call.workspace.post(where, message, thread_ts=call.given.get("thread_ts"))
    for file in files:
        file.setdefault("shares", {}).setdefault(where, []).append(posted["ts"])
        call.workspace.touch("file", file["id"])
    call.events.append({**without_metadata(posted), "channel": where})


def _uploaded(call: Call, named: Json) -> Json:
    file = call.workspace.files.get(str(named.get("id")))
    if file is None:
        raise Refused("file_not_found")
    if not file["uploaded"]:
        raise Refused("file_not_uploaded")
    file["title"] = named.get("title") or file["name"]
    return file


def info(call: Call) -> Json:
    """What is known of a file."""
    file = call.workspace.files.get(str(call.given.get("file")))
    if file is None or not file["uploaded"]:
        raise Refused("file_not_found")
    return {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "files.getUploadURLExternal": Method(upload_url, TIER_4, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, TIER_4, ("files:write",)),
    "files.info": Method(info, TIER_4, ("files:read",)),
}
