"""What a cluster is told of one training: where its inputs are, and how many train it. No Ray here.

The plan goes to hosts that may share no disk with this one. An input is therefore named twice: by
its folder here, which other hosts may see too, and by its path in the artifact store.
"""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from records.errors import ConfigurationError
from tuning.training.job_folder import Spec

_SMALL = 1 << 20


class Input(BaseModel):
    """A folder that a training reads."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    fingerprint: str
    stored: str | None
    """Its path in the store; None where hosts must see the folder itself."""


class Plan(BaseModel):
    """One training on a cluster."""

    model_config = ConfigDict(frozen=True)

    key: str
    """Path in the store of what the training itself leaves there."""
    spec: Spec
    store_url: str
    store_endpoint: str
    base: Input
    dataset: Input
    start: Input | None
    workers: int
    cpus: float
    gpus: float
    resources: dict[str, float]
    wait_seconds: float
    losses: int
    scratch: str

    @property
    def name(self) -> str:
        """What it is called on the cluster, and its folders on hosts."""
        return self.key.replace("/", "-")

    @property
    def wants(self) -> dict[str, float]:
        """Resources of a worker, in Ray's words."""
        wanted = {"CPU": self.cpus, **self.resources}
        return wanted | {"GPU": self.gpus} if self.gpus else wanted

    @property
    def gathers_by(self) -> str:
        """The torch backend that sums gradients: NCCL refuses two workers on one GPU."""
        return "nccl" if self.gpus == 1 else "gloo"


def fingerprint(folder: Path) -> str:
    """What a folder holds, told without reading large files: names, sizes, and small files' bytes.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = file.stat().st_size
        content = hashlib.sha256(file.read_bytes()).hexdigest() if size < _SMALL else ""
        digest.update(f"{file.relative_to(folder).as_posix()}\0{size}\0{content}\0".encode())
    return digest.hexdigest()


def is_same(given: Input) -> bool:
    """Whether this host sees the folder as it was when the training was planned."""
    try:
        return given.folder.is_dir() and fingerprint(given.folder) == given.fingerprint
    except OSError:
        return False


def sizes(workers: int, *, tried: int, room: int) -> int:
    """With how many workers to try next, after `tried` of them did not start in time. Pure.

    As many as there seems to be room for, and fewer each time; after one alone, all of them again.
    """
    if tried <= 1:
        return workers
    return max(1, min(tried - 1, room))


def unseen(given: Input, *, host: str, what: str) -> ConfigurationError:
    """The sentence for an input that a host can neither see nor fetch."""
    return ConfigurationError(
        f"The cluster's host {host} does not see {what} {given.folder} as it is here. Set "
        "UNDERSTUDY_ARTIFACTS_URL to a store that every host reaches (s3://…), or lay UNDERSTUDY_"
        "HOME and base models into a folder that all of them mount at the same path."
    )
