"""A training's checkpoints in the artifact store: the two newest, for hosts that come and go.

Two places take turns, so that while one is written the other is whole. What was cut off in the
middle has no note and is not read; what was damaged is passed over for the one before.
"""

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from records.errors import StorageDamaged
from records.object_store import ObjectStore
from tuning.training.job_folder import JobFolder

_PLACES = ("a", "b")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Of the training that the store knows by `key`."""

    store: ObjectStore
    key: str

    def put(self, checkpoint: Path) -> None:
        """Keep a checkpoint (`checkpoint-STEP`) in the place of the older of the two.

        Raises:
            StorageFull, StorageUnavailable, ConfigurationError: it is not kept.
        """
        steps = self._steps()
        place = self._path(min(_PLACES, key=lambda name: steps.get(name, -1)))
        with tempfile.TemporaryDirectory(dir=checkpoint.parent, prefix="leaving-") as leaving:
            inside = Path(leaving) / checkpoint.name  # in the store its name tells its step
            shutil.copytree(checkpoint, inside, copy_function=os.link)
            self.store.erase(place)
            self.store.put(Path(leaving), place)

    def newest(self) -> list[str]:
        """The places that hold one, the newest first."""
        steps = self._steps()
        return sorted(steps, key=lambda name: -steps[name])

    def get(self, place: str, folder: JobFolder) -> bool:
        """Lay a checkpoint into a folder that has none; False where it is damaged or gone.

        Raises:
            StorageUnavailable, StorageFull, ConfigurationError: it cannot be read now.
        """
        folder.clean()
        try:
            return self.store.get(self._path(place), folder.checkpoints)
        except StorageDamaged as error:
            _log.warning("%s The one before is taken.", error)
            folder.clean()
            return False

    def _steps(self) -> dict[str, int]:
        """The step of each place that holds a checkpoint."""
        found = {}
        for place in _PLACES:
            names = self.store.contents(self._path(place))
            if names:
                found[place] = int(next(iter(names)).split("/")[0].rpartition("-")[2])
        return found

    def _path(self, place: str) -> str:
        return f"{self.key}/checkpoints/{place}"
