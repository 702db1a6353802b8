"""The gateway's settings, read from the environment by the commands only."""

from typing import Literal

from pydantic import Field

from records.settings import Settings
from serving.logs import LogFormat


class GatewaySettings(Settings):
    """Where the gateway listens, and how long it waits for what."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    forwarded_allow_ips: str = Field(
        default="",
        description="Proxies whose X-Forwarded-For tells a client's address, comma-separated, or "
        "* for all; unset, the address is who connects.",
    )
    poll_seconds: float = Field(
        default=0.1, gt=0, description="How often release pointer and experiments are read."
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
    shadow_requests: int = Field(
        default=2, ge=0, description="How many questions shadow versions are asked at a time."
    )
    when_storage_fails: Literal["refuse", "spool"] = Field(
        default="refuse",
        description="What becomes of turns while the database fails: refused with 503, or kept in "
        "a journal under <home>/spool and written later.",
    )
    lock_wait_seconds: float = Field(
        default=5, gt=0, description="Longest wait for a locked database before refusing."
    )
    retry_after_seconds: int = Field(
        default=2, ge=1, description="What Retry-After says while nothing can be recorded."
    )
    key_cache_seconds: float = Field(
        default=5, ge=0, description="How long a key that was looked up is remembered."
    )
    key_requests_per_minute: int = Field(
        default=0, ge=0, description="For each API key without its own limit; 0: no limit."
    )
    key_concurrent_requests: int = Field(
        default=0, ge=0, description="For each API key without its own limit; 0: no limit."
    )
    customer_requests_per_minute: int = Field(
        default=120, ge=0, description="Chat requests for one customer; 0: no limit."
    )
    customer_concurrent_requests: int = Field(
        default=8, ge=0, description="Chat requests for one customer at once; 0: no limit."
    )
    max_requests: int = Field(
        default=1_000, ge=1, description="Chat requests at once in this process; beyond: 503."
    )
    engine_requests: int = Field(
        default=512,
        ge=1,
        description="Chat requests of this process at once for each healthy engine, those that "
        "wait there included; beyond: 503.",
    )
    max_body_bytes: int = Field(
        default=2_000_000, ge=1, description="Largest request body; beyond: 413."
    )
    body_seconds: float = Field(
        default=30, gt=0, description="Longest time for a request's body to arrive; beyond: 408."
    )
    send_seconds: float = Field(
        default=30,
        gt=0,
        description="Longest wait until a client takes more of its answer; then it is cut off.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose web pages may call, comma-separated, or *; default: none.",
    )
    event_poll_seconds: float = Field(
        default=0.2,
        gt=0,
        description="How often the database is asked for news of conversations with open event "
        "streams; what this process recorded itself is sent at once.",
    )
    event_heartbeat_seconds: float = Field(
        default=15, gt=0, description="How often a quiet event stream gets a comment."
    )
    most_event_streams: int = Field(
        default=10_000, ge=1, description="Open event streams in this process; beyond: 503."
    )
    drain_seconds: float = Field(
        default=1,
        ge=0,
        description="How long /health/ready says 503 after SIGTERM before no more is accepted: "
        "longer than a load balancer needs to see it.",
    )
    finish_seconds: int = Field(
        default=20, ge=0, description="How long answers in flight may take to end when stopping."
    )
    ready_lag_seconds: float = Field(
        default=2, gt=0, description="Longest time to record before /health/ready says 503."
    )
    metrics_open: bool = Field(
        default=False, description="Whether /metrics needs no key (else one of scope ops)."
    )
    log_format: LogFormat | None = Field(
        default=None, description="json or text; default: text on a terminal, json elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged; warning leaves requests out."
    )
    otel_endpoint: str = Field(
        default="",
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Base URL of a collector for traces (OTLP over HTTP); unset, none are made.",
    )
