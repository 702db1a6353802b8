"""What one gateway process is made of, put together once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from fastapi import Request
from sqlalchemy.orm import Session

from records import audit, keys, outbox
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import StorageError
from records.proof import servable_of
from records.states import ConversationState, KeyScope
from records.tables import Conversation
from records.versions import bare, install_base
from serving.access import Access, Caller
from serving.admission import Admission
from serving.aftermath import Aftermath
from serving.answering import Answering
from serving.draining import Draining
from serving.escalation_rules import EscalationRules
from serving.event_feed import Feed
from serving.fleet import Fleet, Limits
from serving.gauges import (
    watch_feed,
    watch_fleet,
    watch_recorder,
    watch_shadowing,
    watch_traffic,
)
from serving.last_known import LastKnown
from serving.limits import Rate
from serving.logs import AccessLog
from serving.metrics import Metrics
from serving.observing import Observing
from serving.receipts import Receipts
from serving.recorder import Recorder
from serving.request_record import record_of
from serving.settings import GatewaySettings
from serving.shadowing import Shadowing
from serving.spool import Spool
from serving.tracing import tracing_to
from serving.traffic import Traffic
from serving.upkeep import Base

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
    admission: Admission
    fleet: Fleet
    traffic: Traffic
    shadowing: Shadowing
    answering: Answering
    rules: Mapping[str, EscalationRules]
    last_known: LastKnown | None
    observing: Observing
    draining: Draining
    feed: Feed
    receipts: Receipts

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Install the bare base versions, then watch engines and traffic until the end."""
        await asyncio.to_thread(_install_bases, self.database, self.assistants)
        self.recorder.start()
        try:
            await self.fleet.start()
            await self.traffic.start()
            self.shadowing.start()
            self.feed.start()
            self.receipts.start()
            self.draining.on_end(self.feed.close)
            yield
        finally:
            await self.feed.stop()
            await self.receipts.stop()
            await self.shadowing.stop()
            await self.traffic.stop()
            await self.fleet.stop()
            self.access.close()
            await self.recorder.close()
            await asyncio.to_thread(self.observing.tracing.close)


def assemble(
    settings: GatewaySettings,
    *,
    assistants: Mapping[str, Assistant],
    database: Database,
    artifacts: Artifacts,
    access_log: AccessLog | None = None,
) -> Gateway:
    """Put the parts together; nothing runs yet."""
    build = version("understudy")
    metrics = Metrics(build=build)
    spool = _spool(settings)
    last_known = LastKnown() if spool else None
    recorder = Recorder(database, spool=spool, on_recorded=metrics.recorded)

    def note_refusal(refused: str, url: str, error: Exception) -> None:
        try:
            recorder.submit(partial(_note_refusal, version=refused, url=url, reason=str(error)))
        except StorageError:
            _log.warning("not recorded, because the gateway stops: %s is refused", refused)

    fleet = Fleet(
        settings.engines,
        bases={name: base_of(assistant) for name, assistant in assistants.items()},
        artifacts=artifacts,
        limits=Limits(
            check=settings.engine_check_seconds,
            ready_wait=settings.ready_wait_seconds,
            silence=settings.silence_seconds,
            answer=settings.answer_seconds,
            most_per_engine=settings.engine_requests,
        ),
        on_refused=note_refusal,
    )
    traffic = Traffic(
        database,
        fleet,
        assistants=tuple(assistants),
        poll_seconds=settings.poll_seconds,
    )
    shadowing = Shadowing(fleet, traffic, recorder, at_once=settings.shadow_requests)
    tracing = tracing_to(settings.otel_endpoint, build=build)
    feed = Feed(
        database,
        poll_seconds=settings.event_poll_seconds,
        heartbeat_seconds=settings.event_heartbeat_seconds,
        most_streams=settings.most_event_streams,
    )
    watch_recorder(metrics, recorder)
    watch_shadowing(metrics, shadowing)
    watch_feed(metrics, feed)
    watch_fleet(metrics, fleet)
    watch_traffic(metrics, traffic, assistants=tuple(assistants))
    return Gateway(
        settings=settings,
        assistants=assistants,
        database=database,
        artifacts=artifacts,
        recorder=recorder,
        access=_access(settings, database),
        admission=_admission(settings, fleet),
        fleet=fleet,
        traffic=traffic,
        shadowing=shadowing,
        answering=Answering(
            fleet,
            recorder,
            is_taken=partial(_is_taken, database),
            on_answered=Aftermath(metrics, feed, shadowing, last_known),
            tracing=tracing,
        ),
        last_known=last_known,
        rules={name: EscalationRules(a.escalation) for name, a in assistants.items()},
        observing=Observing(metrics, access_log, tracing),
        draining=Draining(),
        feed=feed,
        receipts=Receipts(recorder),
    )


async def _is_taken(database: Database, conversation_id: str) -> bool:
    """Whether an agent has a conversation now; False while nobody can tell."""

    def read() -> bool:
        with database.read() as session:
            found = session.get(Conversation, conversation_id)
        return found is not None and found.state is ConversationState.WITH_AGENT

    try:
        return await asyncio.to_thread(read)
    except StorageError:
        return False


def _note_refusal(session: Session, *, version: str, url: str, reason: str) -> None:
    """Keep in the audit, and tell in Slack, that an engine must not serve a version."""
    audit.note(
        session, actor="gateway", action="refuse_version", subject=version, engine=url,
        reason=reason,
    )  # fmt: skip
    outbox.put(session, outbox.Kind.VERSION_REFUSED, version, revision=url, reason=reason)


def _spool(settings: GatewaySettings) -> Spool | None:
    return Spool(settings.home / "spool") if settings.when_storage_fails == "spool" else None


def _access(settings: GatewaySettings, database: Database) -> Access:
    own = settings.admin_key
    return Access(
        database,
        admin_key=own.get_secret_value() if own else keys.local_key(settings.home),
        customer_key=keys.local_key(settings.home, "customer"),
        cache_seconds=settings.key_cache_seconds,
        rate=Rate(settings.key_requests_per_minute, settings.key_concurrent_requests),
    )


def _admission(settings: GatewaySettings, fleet: Fleet) -> Admission:
    return Admission(
        customer=Rate(settings.customer_requests_per_minute, settings.customer_concurrent_requests),
        most=settings.max_requests,
        most_per_engine=settings.engine_requests,
        engines=lambda: fleet.healthy_engines,
    )


def base_of(assistant: Assistant) -> Base:
    """What an engine must serve for an assistant, and what fits it."""
    return Base(assistant.base_version, servable_of(assistant), assistant.engine.max_cpu_loras)


def _install_bases(database: Database, assistants: Mapping[str, Assistant]) -> None:
    for assistant in assistants.values():
        with database.write() as session:
            install_base(session, bare(assistant))


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def need(request: Request, *scopes: KeyScope) -> Caller:
    """Let callers pass whose key has one of those scopes, and admins."""
    caller = await gateway_of(request).access.require(
        request.headers.get("authorization"),
        *scopes,
        address=request.client.host if request.client else "",
    )
    record_of(request.scope).key = caller.name
    return caller


async def need_customer(request: Request) -> None:
    """Let customers' backends pass."""
    await need(request, KeyScope.CUSTOMER)


async def need_agent(request: Request) -> str:
    """Let support agents' tools pass; the name of their key."""
    return (await need(request, KeyScope.AGENT)).name


async def need_ops(request: Request) -> str:
    """Let ops teams pass; the name of the key that they came with, for the audit."""
    return (await need(request, KeyScope.OPS)).name
