"""What the admin API promises: versions, releases, experiments, shadows, explanations."""

from typing import Any

from pydantic import AwareDatetime, Field

from records.states import (
    EscalationReason,
    EscalationState,
    ExampleSource,
    ExperimentState,
    FlagReason,
    KeyScope,
    ReleaseAction,
    TurnStatus,
    Verdict,
    VersionState,
)
from serving.contract.operation import Shown, told

_BASE = "support-base"
_ADAPTER = "support-3f9c2a71d0e4"
_AT = "2026-03-01T09:31:42.649371+00:00"


class Version(Shown):
    """A base model with an adapter, or without one."""

    version: str
    assistant: str
    state: VersionState
    verdict: Verdict | None = Field(description="The gate's newest.")
    parent: str | None
    dataset: str | None
    created_at: AwareDatetime


class Engine(Shown):
    """What is known of an engine."""

    url: str
    healthy: bool
    ready: list[str] = Field(description="Versions that are proved on it.")
    refused: list[str] = Field(description="Versions that could not be proved on it.")
    draining: list[str] = Field(description="Versions that get no new requests there.")
    busy: int = Field(description="Requests of this gateway process that it is answering.")


class VersionList(Shown):
    """All versions, oldest first, and the engines."""

    versions: list[Version]
    engines: list[Engine]


class Release(Shown):
    """A change of the release pointer."""

    assistant: str
    action: ReleaseAction
    version: str
    replaces: str | None
    actor: str = Field(description="The name of the key that did it.")


class Arm(Shown):
    """One side of an experiment; the counts only where it is shown, not where it is changed."""

    name: str
    version: str
    share: float
    customers: int | None = None
    conversations: int | None = None


class ChampionsSide(Shown):
    """The customers of an experiment who stay with the champion."""

    version: str | None
    share: float
    customers: int
    conversations: int


class Experiment(Shown):
    """An experiment with its arms; the champion's side only where it is shown."""

    id: str
    assistant: str
    state: ExperimentState
    arms: list[Arm]
    champion: ChampionsSide | None = None


class Shadow(Shown):
    """A version that answers a sample of questions unseen."""

    id: str
    assistant: str
    state: ExperimentState
    version: str
    share: float


class ShadowReport(Shadow):
    """A shadow, and how often it agreed with what customers read."""

    answers: int
    errors: int
    same_text: int
    same_handover: int
    dropped: int = Field(description="Questions that this gateway process could not ask.")


class ExplainedTurn(Shown):
    """The answer, and how it came about."""

    id: str
    conversation_id: str
    asked: str | None
    answered: str
    status: TurnStatus
    at: AwareDatetime
    version: str | None
    experiment: str | None
    arm: str | None
    mean_logprob: float | None
    first_token_ms: float | None
    duration_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None


class ExplainedEscalation(Shown):
    """That the answer handed the conversation over."""

    id: str
    reason: EscalationReason
    cause: str
    state: EscalationState
    owner: str | None


class ExplainedFlag(Shown):
    """An agent's mark that an answer was bad."""

    id: str
    by: str
    reason: FlagReason | None
    correction: str | None
    should_escalate: bool
    note: str | None
    at: AwareDatetime


class ExplainedRelease(Shown):
    """When a version was promoted or rolled back, and by whom."""

    action: ReleaseAction
    by: str
    at: AwareDatetime


class ExplainedVersion(Shown):
    """What answered, and where it came from."""

    id: str
    state: VersionState
    parent: str | None
    base_model: str
    base_hash: str
    adapter: str | None
    recipe: Any = None
    trained_at: AwareDatetime
    verdict: Verdict | None
    report_id: str | None
    releases: list[ExplainedRelease]


class ExplainedExample(Shown):
    """A training example whose question is like the customer's."""

    id: str
    likeness: float
    question: str
    chosen: str
    should_escalate: bool
    source: ExampleSource
    created_by: str
    approved_by: str | None
    flag: ExplainedFlag | None


class ExplainedDataset(Shown):
    """What the version was trained on."""

    id: str
    content_hash: str
    examples_by_source: dict[str, int]
    nearest_examples: list[ExplainedExample]


class Explanation(Shown):
    """Everything that led to an answer."""

    turn: ExplainedTurn
    escalation: ExplainedEscalation | None
    flags: list[ExplainedFlag]
    version: ExplainedVersion | None
    dataset: ExplainedDataset | None


_OPS = (KeyScope.OPS,)
_PROMOTED = {
    "assistant": "support",
    "action": "promote",
    "version": _ADAPTER,
    "replaces": _BASE,
    "actor": "ann's laptop",
}
_EXPERIMENT: dict[str, Any] = {
    "id": "exp_01m86eb5mkaajk1cehnt8n4f8s",
    "assistant": "support",
    "state": "running",
    "arms": [{"name": "challenger", "version": _ADAPTER, "share": 0.1}],
}
_SHADOW = {
    "id": "shad_01m86eb5mkaajk1cehnt8n4f8s",
    "assistant": "support",
    "state": "running",
    "version": _ADAPTER,
    "share": 0.1,
}
_EXPLAINED: dict[str, Any] = {
    "turn": {
        "id": "turn_01m86eb5ns2ff35rgeqs7d0fjh",
        "conversation_id": "conv_01m86eb5mkaajk1cehnt8n4f8s",
        "asked": "Where is my card?",
        "answered": "It is on its way.",
        "status": "complete",
        "at": _AT,
        "version": _BASE,
        "experiment": None,
        "arm": None,
        "mean_logprob": -0.25,
        "first_token_ms": 31.5,
        "duration_ms": 240.2,
        "prompt_tokens": 31,
        "completion_tokens": 6,
    },
    "escalation": None,
    "flags": [],
    "version": {
        "id": _BASE,
        "state": "champion",
        "parent": None,
        "base_model": "deploy/demo/base",
        "base_hash": "0" * 64,
        "adapter": None,
        "recipe": None,
        "trained_at": _AT,
        "verdict": None,
        "report_id": None,
        "releases": [{"action": "install", "by": "gateway", "at": _AT}],
    },
    "dataset": None,
}
_ONLY_ONE = {"the only assistant": {}, "one of several": {"assistant": "support"}}

VERSIONS = told(
    scopes=_OPS,
    answer=VersionList,
    examples={
        "only the base": {
            "versions": [
                {
                    "version": _BASE,
                    "assistant": "support",
                    "state": "champion",
                    "verdict": None,
                    "parent": None,
                    "dataset": None,
                    "created_at": _AT,
                }
            ],
            "engines": [
                {
                    "url": "http://127.0.0.1:8001",
                    "healthy": True,
                    "ready": [_BASE],
                    "refused": [],
                    "draining": [],
                    "busy": 3,
                }
            ],
        }
    },
)
PROMOTE = told(
    scopes=_OPS,
    answer=Release,
    examples={"promoted": _PROMOTED},
    asked={
        "one that the gate passed": {"version": _ADAPTER},
        "in spite of the gate": {"version": _ADAPTER, "without_evidence": True},
    },
    errors=(404, 409),
)
ROLL_BACK = told(
    scopes=_OPS,
    answer=Release,
    examples={
        "rolled back": {
            **_PROMOTED,
            "action": "rollback",
            "version": _BASE,
            "replaces": _ADAPTER,
        }
    },
    asked=_ONLY_ONE,
    errors=(404, 409),
)
EXPLAIN = told(scopes=_OPS, answer=Explanation, examples={"of the base": _EXPLAINED}, errors=(404,))
SHOW_EXPERIMENT = told(
    scopes=_OPS,
    answer=Experiment,
    examples={
        "running": {
            **_EXPERIMENT,
            "arms": [{**_EXPERIMENT["arms"][0], "customers": 41, "conversations": 57}],
        }
    },
    errors=(404,),
)
START_EXPERIMENT = told(
    scopes=_OPS,
    answer=Experiment,
    examples={"started": _EXPERIMENT},
    asked={
        "a tenth of all customers": {
            "arms": [{"name": "challenger", "version": _ADAPTER, "share": 0.1}]
        }
    },
    errors=(404, 409),
)
RAMP_EXPERIMENT = told(
    scopes=_OPS,
    answer=Experiment,
    examples={"ramped": _EXPERIMENT},
    asked={"half of all customers": {"shares": {"challenger": 0.5}}},
    errors=(404, 409),
)
STOP_EXPERIMENT = told(
    scopes=_OPS,
    answer=Experiment,
    examples={"stopped": {**_EXPERIMENT, "state": "stopped"}},
    asked=_ONLY_ONE,
    errors=(404, 409),
)
SHOW_SHADOW = told(
    scopes=_OPS,
    answer=ShadowReport,
    examples={
        "running": {
            **_SHADOW,
            "answers": 120,
            "errors": 1,
            "same_text": 80,
            "same_handover": 118,
            "dropped": 2,
        }
    },
    errors=(404,),
)
START_SHADOW = told(
    scopes=_OPS,
    answer=Shadow,
    examples={"started": _SHADOW},
    asked={"a tenth of all questions": {"version": _ADAPTER, "share": 0.1}},
    errors=(404, 409),
)
STOP_SHADOW = told(
    scopes=_OPS,
    answer=Shadow,
    examples={"stopped": {**_SHADOW, "state": "stopped"}},
    asked=_ONLY_ONE,
    errors=(404, 409),
)
