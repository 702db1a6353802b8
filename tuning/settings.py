"""Settings of the worker and of the commands that ask it for work."""

from pathlib import Path

from pydantic import Field

from records.jobs import Price
from tuning.augmentation.settings import AugmentationSettings
from tuning.ray.settings import RaySettings


class WorkerSettings(RaySettings, AugmentationSettings):
    """How the worker runs jobs."""

    worker_poll_seconds: float = Field(
        default=1.0, gt=0, description="How often the worker looks for new and cancelled jobs."
    )
    retrain_look_seconds: float = Field(
        default=30.0, gt=0, description="How often the worker looks whether a retraining is due."
    )
    engine_wait_seconds: float = Field(
        default=180.0, ge=0, description="How long a job waits for an engine that is starting."
    )
    storage_wait_seconds: float = Field(
        default=120.0,
        ge=0,
        description="How long a job waits for a database or an artifact store that is away.",
    )
    trainer_threads: int = Field(
        default=0, ge=0, description="CPU threads of the trainer; 0 takes every core."
    )
    trainer_nice: int = Field(
        default=10,
        ge=0,
        le=19,
        description="How far the trainer steps back for others on the same cores (nice level).",
    )
    cost_per_hour: float = Field(
        default=0.0, ge=0, description="What an hour of the accelerator costs; 0: not shown."
    )
    currency: str = Field(default="EUR", max_length=8, description="Of that cost.")
    report_to: str = Field(
        default="",
        description="Trackers that get the curves of trainings, comma-separated: trackio, "
        "tensorboard, mlflow, wandb. They write to <home>/curves, and nothing leaves the machine.",
    )

    @property
    def price(self) -> Price:
        """What training time costs."""
        return Price(self.cost_per_hour, self.currency)

    @property
    def jobs(self) -> Path:
        """Working files of retrainings, one folder each."""
        return self.home / "jobs"

    @property
    def workflow_database(self) -> str:
        """Where DBOS keeps its own state: beside our records on PostgreSQL, else a file."""
        if self.database.startswith("postgres"):
            return self.database.replace("+psycopg", "", 1)
        return f"sqlite:///{self.home / 'dbos.sqlite'}"
