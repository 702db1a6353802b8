"""What a job is doing, in the words that people read while it runs. The trainer tells its own."""

from enum import StrEnum


class Stage(StrEnum):
    """A job's stage, as `Job.stage` holds it (40 characters at most)."""

    COLLECTING = "collecting examples"
    CLEANING = "cleaning examples"
    DATASET = "dataset ready"
    CHECKING = "checking that it can be served"
    STARTING = "starting the trainer"
    WAITING = "waiting for the accelerator"
    """Another training has it; ours holds none."""
    CLUSTER = "waiting for the cluster"
    CLUSTER_LOST = "looking for the cluster again"
    WORKER_LOST = "going on without a lost worker"
    TRAINING = "training"
    PUBLISHED = "adapter published"
    PROVING = "proving the adapter on each engine"
    EVALUATING = "evaluating"
    FLAGGED = "asking what was flagged"
    REPORTED = "reported"
    ENGINE_AWAY = "waiting for the engine"
    STORAGE_AWAY = "waiting for the storage"
    TRAINER_LOST = "starting the trainer again"
