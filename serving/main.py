"""`understudy serve`: the gateway under uvicorn."""

import contextlib
import gc
import sys

import click


@click.command()
def serve() -> None:
    """Start the gateway that customers talk to.

    Listens on UNDERSTUDY_HOST:UNDERSTUDY_PORT (127.0.0.1:8000). Needs an engine: start one with
    `understudy engine`, or name some in UNDERSTUDY_ENGINE_URLS. SIGTERM ends it without losing an
    answer: it is not ready first, and stops accepting UNDERSTUDY_DRAIN_SECONDS later.
    """
    import uvicorn

    from records.artifacts import Artifacts
    from records.assistant import read_assistants
    from records.database import Database
    from serving import logs
    from serving.app import behind_front, create_app
    from serving.corked import CorkedProtocol
    from serving.draining import closing_connections
    from serving.gateway import Gateway
    from serving.server import Server
    from serving.settings import GatewaySettings

    settings = GatewaySettings.load()
    access_log = logs.set_up(form=settings.log_format, level=settings.log_level)
    database = Database(settings.database, lock_wait_seconds=settings.lock_wait_seconds)
    database.migrate()
    app = create_app(
        settings,
        assistants=read_assistants(settings.assistants),
        database=database,
        artifacts=Artifacts.of(settings),
        access_log=access_log,
    )
    gateway: Gateway = app.state.gateway
    config = uvicorn.Config(
        closing_connections(behind_front(app), gateway.draining),
        host=settings.host,
        port=settings.port,
        interface="asgi3",
        loop="uvloop",
        http=CorkedProtocol,
        access_log=False,
        log_config=None,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips or None,
        timeout_graceful_shutdown=settings.finish_seconds,
    )
    _calm_garbage_collection()
    sys.setswitchinterval(0.001)  # the recording thread must not wait 5 ms for each of its turns
    server = Server(config, draining=gateway.draining, drain_seconds=settings.drain_seconds)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(uvicorn.config.STARTUP_FAILURE)


def _calm_garbage_collection() -> None:
    """Leave what was made by now out of collections, and collect less often.

    Requests leave few cycles behind; Python's defaults, meant for small programs, would look
    through all modules every few hundred requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
