"""Chat completions as a bare ASGI application: the path that every customer's turn takes.

It is reached without the framework's layers, which would cost more than all that is done here, and
stands behind its documented route as well. Its errors are for the front to answer.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from starlette.types import Receive, Scope, Send

from records.assistant import Assistant
from records.errors import Forbidden, InvalidInput, StorageError
from records.states import KeyScope
from serving.access import Caller
from serving.answer_form import ChunksForm
from serving.answering import MakeForm
from serving.chat_request import ChatRequest, read_request
from serving.completion import Completion
from serving.dialogue import Dialogue, Known, look_up, open_dialogue
from serving.draft import Draft
from serving.outlet import Outlet, respond, unless_left
from serving.problems import ModelNotFound
from serving.request_record import record_of

if TYPE_CHECKING:
    from serving.gateway import Gateway

_READ = {
    b"x-conversation-id": "x-conversation-id",
    b"x-customer-id": "x-customer-id",
    b"x-understudy-version": "x-understudy-version",
}


_CUSTOMERS = (KeyScope.CUSTOMER,)
_TESTERS = (KeyScope.CUSTOMER, KeyScope.OPS)
"""Ops teams may talk too, but only to a version that they name."""


class ChatEndpoint:
    """Answers `POST /v1/chat/completions`."""

    def __init__(self, gateway: "Gateway") -> None:
        """Answer with the parts of `gateway`."""
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whose body comes whole.

        Raises:
            UnderstudyError: nothing was sent yet.
        """
        gateway = self._gateway
        authorization, headers = b"", {}
        for name, value in scope["headers"]:
            if name in _READ:
                headers[_READ[name]] = value.decode("latin-1")
            elif name == b"authorization":
                authorization = value
        access = gateway.access
        caller = access.known(authorization)
        scopes = _TESTERS if "x-understudy-version" in headers else _CUSTOMERS
        if caller is None or not caller.may(*scopes):
            caller = await access.require(authorization, *scopes, address=_address(scope))
        asked = read_request(_json((await receive())["body"]), headers)
        record = record_of(scope)
        record.key = caller.name
        with gateway.admission.admit(caller, asked.customer) as entry:
            version = override_of(headers.get("x-understudy-version"), caller)
            dialogue = await open_for(gateway, asked, version=version)
            record.assistant = dialogue.assistant.name
            await send_answer(gateway, dialogue, chunks_of, entry.headers, receive, send)


async def send_answer(
    gateway: "Gateway",
    dialogue: Dialogue,
    form: MakeForm,
    headers: Mapping[str, str],
    receive: Receive,
    send: Send,
) -> None:
    """Answer a turn in its form, streamed or whole as it was asked, unless its client leaves.

    Raises:
        UnderstudyError: nothing was sent yet.
    """
    if dialogue.request.stream:
        outlet = Outlet(send, headers)
        await unless_left(gateway.answering.stream(dialogue, form, outlet), receive)
        return
    reply = await unless_left(gateway.answering.whole(dialogue, form), receive)
    if reply is not None:
        await respond(send, reply.body, headers={**reply.headers, **headers})


def chunks_of(draft: Draft) -> ChunksForm:
    """OpenAI's form of an answer."""
    request = draft.dialogue.request
    name = draft.dialogue.assistant.name
    completion = Completion(f"chatcmpl-{draft.turn_id}", name, int(time.time()))
    return ChunksForm(completion, include_usage=request.include_usage)


async def open_for(gateway: "Gateway", asked: ChatRequest, *, version: str | None) -> Dialogue:
    """The turn that a request asks to be answered; `version` overrides what would answer it.

    Raises:
        ModelNotFound: no assistant of that name.
        StorageError: the conversation that it names can't be looked up.
    """
    assistant = assistant_for(gateway, asked.model)
    known: Known | None = None
    tracing = gateway.observing.tracing
    if asked.conversation is not None:
        with tracing.span("look up"):
            known = await _known(gateway, assistant.name, asked.conversation)
    with tracing.span("choose version"):
        override = await gateway.traffic.override(assistant.name, version) if version else None
        return open_dialogue(
            assistant,
            asked,
            known=known,
            choose=lambda unit, pin: (
                override or gateway.traffic.choose(assistant.name, unit=unit, pin=pin)
            ),
            rules=gateway.rules[assistant.name],
        )


def assistant_for(gateway: "Gateway", model: str) -> Assistant:
    """The assistant that a client names as a model.

    Raises:
        ModelNotFound: there is none of that name.
    """
    assistant = gateway.assistants.get(model)
    if assistant is None:
        raise ModelNotFound(
            f"The model {model!r} does not exist; there are: "
            f"{', '.join(sorted(gateway.assistants))}."
        )
    return assistant


async def _known(gateway: "Gateway", assistant: str, name: str) -> Known | None:
    """What is known of the conversation that a client names."""
    last_known = gateway.last_known
    fresher = last_known.get(assistant, name) if last_known and gateway.recorder.spooled else None
    try:
        known = await asyncio.to_thread(_look_up, gateway, assistant, name)
    except StorageError:
        if gateway.last_known is None:
            raise
        known = gateway.last_known.get(assistant, name)
        if known is None and name.startswith("conv_"):  # ours, so it exists
            known = Known.begun(name)
        return known
    if fresher is not None and (known is None or len(known.said) < len(fresher.said)):
        if known is None:  # what it said waits in the journal
            return fresher
        return replace(fresher, state=known.state, escalation_id=known.escalation_id)
    if gateway.last_known is not None:
        gateway.last_known.learn(assistant, name, known)
    return known


def _look_up(gateway: "Gateway", assistant: str, key: str) -> Known | None:
    with gateway.database.read() as session:
        return look_up(session, assistant=assistant, key=key)


def override_of(version: str | None, caller: Caller) -> str | None:
    """The version that a tester asks for; None for everybody else.

    Raises:
        Forbidden: a customer's backend asks for one.
    """
    if version and not caller.may(KeyScope.OPS):
        raise Forbidden("X-Understudy-Version needs a key of scope ops or admin.")
    return version or None


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The body is not JSON: {error}.") from error


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
