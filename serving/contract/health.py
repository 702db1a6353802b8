"""What health checks and metrics promise."""

from enum import StrEnum

from pydantic import Field

from records.states import KeyScope
from serving.contract.operation import Shown, told


class Live(Shown):
    """The process answers."""

    status: str = Field(json_schema_extra={"const": "ok"})


class Readiness(StrEnum):
    """Whether requests should come here."""

    OK = "ok"
    WAITING = "waiting"
    DRAINING = "draining"


class Ready(Shown):
    """Whether the model can answer and turns are recorded, and why not."""

    status: Readiness
    reasons: list[str]
    versions: dict[str, str | None] = Field(description="What answers, by assistant.")
    waiting: list[str] = Field(description="Assistants for which no engine is ready.")
    not_served: dict[str, str] = Field(
        description="Champions for which another version answers, by assistant."
    )
    spooled: int = Field(description="Turns that wait for the database in the journal.")


_READY = {
    "status": "ok",
    "reasons": [],
    "versions": {"support": "support-base"},
    "waiting": [],
    "not_served": {},
    "spooled": 0,
}
_METRICS = """# HELP understudy_requests_total Answered HTTP requests
# TYPE understudy_requests_total counter
understudy_requests_total{route="/v1/chat/completions",status="200"} 41.0
"""

LIVE = told(answer=Live, examples={"lives": {"status": "ok"}})
READY = told(
    answer=Ready,
    examples={
        "ready": _READY,
        "not ready": {
            **_READY,
            "status": "waiting",
            "reasons": ["No engine answers."],
            "waiting": ["support"],
        },
    },
    also={503: "Not ready; `reasons` says why."},
)
METRICS = told(
    scopes=(KeyScope.OPS,),
    content={
        "text/plain": {"schema": {"type": "string"}, "example": _METRICS},
        "application/openmetrics-text": {
            "schema": {"type": "string"},
            "example": f"{_METRICS}# EOF\n",
        },
    },
)
