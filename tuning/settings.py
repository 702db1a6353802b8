"""Settings of the worker and of the commands that ask it for work."""

from pathlib import Path

from pydantic import Field

from records.settings import Settings


class WorkerSettings(Settings):
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
    trainer_threads: int = Field(
        default=0, ge=0, description="CPU threads of the trainer; 0 takes every core."
    )

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
