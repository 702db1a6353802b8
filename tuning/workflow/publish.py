"""From a finished adapter folder to a version: named by content, published, registered once."""

from pathlib import Path

from records import versions
from records.adapters import adapter_name, read_manifest
from records.artifacts import Artifacts
from records.database import Database
from records.states import VersionState
from records.tables import Version


def publish_adapter(
    database: Database, artifacts: Artifacts, folder: Path, *, assistant: str
) -> Version:
    """Publish and register an adapter; done again, it is the same version.

    Raises:
        StorageFull, StorageUnavailable: nothing half-written is seen.
    """
    manifest = read_manifest(folder)
    name = adapter_name(assistant, folder)
    path = f"adapters/{name}"
    artifacts.publish(folder, path)
    version = Version(
        id=name,
        assistant=assistant,
        base_model=manifest["base_model"],
        base_hash=manifest["base_hash"],
        adapter_path=path,
        dataset_id=manifest["dataset_id"],
        parent=manifest["parent"],
        state=VersionState.TRAINED,
        manifest={key: value for key, value in manifest.items() if key != "probes"},
    )
    with database.write() as session:
        return versions.register(session, version)
