"""The gateway's settings, read from the environment by the commands only."""

from pydantic import Field

from records.settings import Settings


class GatewaySettings(Settings):
    """Where the gateway listens, and how long it waits for what."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, description="Port to listen on.")
    poll_seconds: float = Field(
        default=0.2, gt=0, description="How often release pointer and experiments are read."
    )
    engine_check_seconds: float = Field(
        default=0.5, gt=0, description="How often each engine's health and versions are asked for."
    )
    ready_wait_seconds: float = Field(
        default=5, ge=0, description="How long a request waits until its version is proved again."
    )
    silence_seconds: float = Field(
        default=30, gt=0, description="Longest wait for the engine's first or next piece of text."
    )
    answer_seconds: float = Field(default=300, gt=0, description="Longest time for an answer.")
    lock_wait_seconds: float = Field(
        default=5, gt=0, description="Longest wait for a locked database before refusing."
    )
    retry_after_seconds: int = Field(
        default=2, ge=1, description="What Retry-After says while nothing can be recorded."
    )
    key_cache_seconds: float = Field(
        default=5, ge=0, description="How long a key that was looked up is remembered."
    )
    max_body_bytes: int = Field(default=2_000_000, ge=1, description="Largest request body.")
