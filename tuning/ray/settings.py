"""Where trainings run: on this machine, or on a Ray cluster, and with what of it. Loads no Ray."""

from enum import StrEnum

from pydantic import Field, field_validator

from records.settings import Settings


class Backend(StrEnum):
    """Who runs a training."""

    LOCAL = "local"
    """One process on this machine."""
    RAY = "ray"
    """Workers of a Ray cluster."""


class RaySettings(Settings):
    """The backend of trainings."""

    backend: Backend = Field(
        default=Backend.LOCAL,
        description="Where trainings run: local (a process on this machine) or ray (workers of a "
        "Ray cluster).",
    )
    ray_address: str = Field(
        default="",
        description="The cluster: ray://HOST:10001 from anywhere, HOST:6379 or auto on one of its "
        "nodes. Unset: a cluster of this machine alone, for as long as a training takes.",
    )
    ray_workers: int = Field(
        default=2,
        ge=1,
        le=1024,
        description="Trainers that share each step's examples. The recipe stays the same with any "
        "number; more than its batch_size would have nothing to do.",
    )
    ray_cpus: float = Field(
        default=1.0, gt=0, description="Cores of a worker; also its threads where it has no GPU."
    )
    ray_gpus: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="GPUs of a worker: 0, 1, or a part (0.5) where it shares one with others; it "
        "then keeps to that part of the memory, and gradients go by gloo, for NCCL wants a GPU "
        "of its own for each worker.",
    )
    ray_resources: str = Field(
        default="",
        description="What else a worker wants of its node, as the cluster's nodes offer it: "
        "NAME=AMOUNT, comma-separated (large_disk=1).",
    )
    ray_wait_seconds: float = Field(
        default=60.0,
        gt=0,
        description="How long all workers are waited for (an autoscaler needs minutes) before "
        "training goes on with as many as there is room for.",
    )
    ray_losses: int = Field(
        default=10, ge=0, description="How many losses of workers a training survives."
    )
    ray_scratch: str = Field(
        default="",
        description="Folder on each of the cluster's hosts for copies of base models (kept) and "
        "working files (removed). Unset: understudy-ray-UID in the host's temporary folder.",
    )

    @field_validator("ray_address")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.removeprefix("ray://").rpartition(":")
        if value and value != "auto" and not (host and port.isdecimal()):
            raise ValueError(f"{value!r} is no address; write ray://HOST:PORT or HOST:PORT")
        return value

    @field_validator("ray_resources")
    @classmethod
    def _resources(cls, value: str) -> str:
        read_resources(value)
        return value


def read_resources(setting: str) -> dict[str, float]:
    """Resources by name.

    Raises:
        ValueError: it is written otherwise.
    """
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in setting.split(","))):
        name, _, amount = part.partition("=")
        if not name or not amount.replace(".", "", 1).isdecimal() or name in ("CPU", "GPU"):
            raise ValueError(
                f"{part!r} is no resource; write NAME=AMOUNT (cores and GPUs have settings of "
                "their own)"
            )
        found[name] = float(amount)
    return found
