"""What keeps libraries from reaching out by themselves: set before they are imported.

Understudy talks to what its settings name (engine, database, artifact store, Slack), and to nothing
else. Whoever sets one of these variables themselves is left alone, as for a first download.
"""

import os

_MODELS = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
}
"""Models and data sets come from this machine."""
_TELEMETRY = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "RAGAS_DO_NOT_TRACK": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_MODE": "offline",
    "WANDB_ERROR_REPORTING": "false",
}
"""Nobody is told what is run here."""
OFFLINE = {**_MODELS, **_TELEMETRY, "TOKENIZERS_PARALLELISM": "false"}
"""Switches for this process and its children."""


def go_offline() -> None:
    """Set the switches, leaving those alone that the user has set."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
