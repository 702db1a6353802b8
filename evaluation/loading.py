"""Getting a version ready on an engine: loaded, and proved to be on."""

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.engine import Engine
from records.errors import EngineRefused
from records.proof import load_and_prove, servable_of
from records.tables import Version


async def make_ready(
    engine: Engine, version: Version, *, artifacts: Artifacts, assistant: Assistant
) -> None:
    """See that the engine serves a version; an adapter is loaded if need be, and always proved.

    That its name is known says little: one that failed its proof stays loaded.

    Raises:
        EngineError: the engine can't be asked, or serves another base model.
        AdapterError: the version must not be served.
    """
    if version.adapter_path is not None:
        folder = artifacts.fetch(version.adapter_path)
        await load_and_prove(engine, folder, servable_of(assistant))
        return
    known = await engine.models()
    if version.id not in known:
        raise EngineRefused(
            f"The engine at {engine.url} does not serve {version.id} (it serves "
            f"{', '.join(known) or 'nothing'}): start it for assistant {version.assistant!r}.",
            status=404,
        )
