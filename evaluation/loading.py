"""Getting a version ready on an engine: loaded, and proved to be on."""

from records.adapters import Limits
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.engine import Engine
from records.errors import EngineRefused
from records.proof import Servable, load_and_prove
from records.tables import Version


async def make_ready(
    engine: Engine, version: Version, *, artifacts: Artifacts, assistant: Assistant
) -> None:
    """Load and prove a version's adapter where the engine doesn't have it yet.

    Raises:
        EngineError: the engine can't be asked, or serves another base model.
        AdapterError: the version must not be served.
    """
    known = await engine.models()
    if version.id in known:
        return
    if version.adapter_path is None:
        raise EngineRefused(
            f"The engine at {engine.url} does not serve {version.id} (it serves "
            f"{', '.join(known) or 'nothing'}): start it for assistant {version.assistant!r}.",
            status=404,
        )
    wanted = Servable(
        base_model=version.base_model,
        base_hash=version.base_hash,
        limits=Limits(max_rank=assistant.engine.max_lora_rank),
    )
    await load_and_prove(engine, artifacts.fetch(version.adapter_path), wanted)
