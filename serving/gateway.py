"""What one gateway process is made of, put together once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from sqlalchemy.orm import Session

from records import audit, keys, outbox
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import StorageError
from records.proof import servable_of
from records.states import KeyScope
from records.versions import bare, install_base
from serving.access import Access
from serving.answering import Answering
from serving.fleet import Base, Fleet, Limits
from serving.recorder import Recorder
from serving.settings import GatewaySettings
from serving.traffic import Traffic

_log = logging.getLogger("understudy.gateway")


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts that routes use."""

    settings: GatewaySettings
    assistants: Mapping[str, Assistant]
    database: Database
    artifacts: Artifacts
    recorder: Recorder
    access: Access
    fleet: Fleet
    traffic: Traffic
    answering: Answering

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Install the bare base versions, then watch engines and traffic until the end."""
        await asyncio.to_thread(_install_bases, self.database, self.assistants)
        self.recorder.start()
        try:
            await self.fleet.start()
            await self.traffic.start()
            yield
        finally:
            await self.traffic.stop()
            await self.fleet.stop()
            await asyncio.to_thread(self.recorder.close)


def assemble(
    settings: GatewaySettings,
    *,
    assistants: Mapping[str, Assistant],
    database: Database,
    artifacts: Artifacts,
) -> Gateway:
    """Put the parts together; nothing runs yet."""
    recorder = Recorder(database)

    def note_refusal(version: str, url: str, error: Exception) -> None:
        try:
            recorder.submit(partial(_note_refusal, version=version, url=url, reason=str(error)))
        except StorageError:
            _log.warning("not recorded, because the gateway stops: %s is refused", version)

    fleet = Fleet(
        settings.engines,
        bases={name: base_of(assistant) for name, assistant in assistants.items()},
        artifacts=artifacts,
        limits=Limits(
            check=settings.engine_check_seconds,
            ready_wait=settings.ready_wait_seconds,
            silence=settings.silence_seconds,
            answer=settings.answer_seconds,
        ),
        on_refused=note_refusal,
    )
    return Gateway(
        settings=settings,
        assistants=assistants,
        database=database,
        artifacts=artifacts,
        recorder=recorder,
        access=_access(settings, database),
        fleet=fleet,
        traffic=Traffic(
            database,
            fleet,
            most_adapters={name: a.engine.max_cpu_loras for name, a in assistants.items()},
            poll_seconds=settings.poll_seconds,
        ),
        answering=Answering(fleet, recorder),
    )


def _note_refusal(session: Session, *, version: str, url: str, reason: str) -> None:
    """Keep in the audit, and tell in Slack, that an engine must not serve a version."""
    audit.note(
        session, actor="gateway", action="refuse_version", subject=version, engine=url,
        reason=reason,
    )  # fmt: skip
    outbox.put(session, outbox.Kind.VERSION_REFUSED, version, revision=url, reason=reason)


def _access(settings: GatewaySettings, database: Database) -> Access:
    own = settings.admin_key
    return Access(
        database,
        admin_key=own.get_secret_value() if own else keys.local_key(settings.home),
        customer_key=keys.local_key(settings.home, "customer"),
        cache_seconds=settings.key_cache_seconds,
    )


def base_of(assistant: Assistant) -> Base:
    """What an engine must serve for an assistant, and what fits it."""
    return Base(assistant.base_version, servable_of(assistant))


def _install_bases(database: Database, assistants: Mapping[str, Assistant]) -> None:
    for assistant in assistants.values():
        with database.write() as session:
            install_base(session, bare(assistant))


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def need_customer(request: Request) -> None:
    """Let customers' backends and admins pass."""
    await gateway_of(request).access.require(
        request.headers.get("authorization"), KeyScope.CUSTOMER
    )


async def need_admin(request: Request) -> str:
    """Let admins pass only; the name of the key they came with, for the audit."""
    authorization = request.headers.get("authorization")
    return (await gateway_of(request).access.require(authorization, KeyScope.ADMIN)).name
