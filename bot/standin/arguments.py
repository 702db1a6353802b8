"""Reading requests as Slack reads them: arguments, tokens and files from wherever they stand."""

from aiohttp import BasicAuth, hdrs, web

from bot.standin.refusal import Refused
from bot.standin.workspace import Json


async def arguments_of(request: web.Request) -> Json:
    """Query, form and JSON in one mapping: Slack takes its arguments from any of them."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.json() if await request.read() else {}
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        given |= body
    elif request.can_read_body:
        given |= {key: str(value) for key, value in (await request.post()).items()}
    return given


def bearer_of(request: web.Request) -> str:
    """The token in the header; empty where there is none."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    return header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""


def credentials_of(request: web.Request, given: Json) -> tuple[str, str]:
    """The app's id and secret, from the header or from the arguments."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if header.startswith("Basic "):
        basic = BasicAuth.decode(header)
        return basic.login, basic.password
    return str(given.get("client_id") or ""), str(given.get("client_secret") or "")


async def uploaded_bytes(request: web.Request) -> bytes:
    """A file's bytes, as a body or as part of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    part = next(iter(form.values()))
    if isinstance(part, web.FileField):
        return part.file.read()
    return part.encode() if isinstance(part, str) else bytes(part)
