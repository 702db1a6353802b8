"""`understudy serve`: the gateway under uvicorn."""

import click


@click.command()
def serve() -> None:
    """Start the gateway that customers talk to.

    Listens on UNDERSTUDY_HOST:UNDERSTUDY_PORT (127.0.0.1:8000). Needs an engine: start one with
    `understudy engine`, or name some in UNDERSTUDY_ENGINE_URLS.
    """
    import logging

    import uvicorn

    from records.artifacts import Artifacts
    from records.assistant import read_assistants
    from records.database import Database
    from serving.app import create_app
    from serving.settings import GatewaySettings

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = GatewaySettings.load()
    database = Database(settings.database, lock_wait_seconds=settings.lock_wait_seconds)
    database.migrate()
    app = create_app(
        settings,
        assistants=read_assistants(settings.assistants),
        database=database,
        artifacts=Artifacts.of(settings),
    )
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="auto",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
