"""Why an answer is what it is: answer → version → adapter → dataset → example → flag → who."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from records import conversations, flags
from records.errors import NotFound
from records.messages import Role
from records.tables import (
    Dataset,
    DatasetExample,
    Escalation,
    Example,
    Flag,
    Release,
    Report,
    Turn,
    Version,
)
from records.text import token_f1

_NEAREST = 5


def explain(session: Session, turn_id: str) -> dict[str, Any]:
    """Everything that led to an answer, as plain values.

    The examples shown are those of the version's dataset whose question is most like the
    customer's (word F1), with the flag each was made from and who flagged and approved it.

    Raises:
        NotFound: no such turn, or one that the assistant did not answer.
    """
    turn = conversations.turn(session, turn_id)
    if turn.role is not Role.ASSISTANT:
        raise NotFound(f"{turn_id} was written by {turn.role}, not answered by the assistant.")
    asked = [
        t
        for t in conversations.history(session, turn.conversation_id, whole=False)
        if t.position < turn.position
    ]
    version = session.get(Version, turn.version) if turn.version else None
    return {
        "turn": _answer(turn, asked),
        "escalation": _escalation(session, turn),
        "flags": [_flag(flag) for flag in flags.standing(session, turn_id)],
        "version": _version(session, version) if version else None,
        "dataset": _dataset(session, version, asked) if version and version.dataset_id else None,
    }


def _answer(turn: Turn, asked: list[Turn]) -> dict[str, Any]:
    return {
        "id": turn.id,
        "conversation_id": turn.conversation_id,
        "asked": asked[-1].content if asked else None,
        "answered": turn.content,
        "status": turn.status,
        "at": turn.created_at.isoformat(),
        "version": turn.version,
        "experiment": turn.experiment,
        "arm": turn.arm,
        "mean_logprob": turn.mean_logprob,
        "first_token_ms": turn.first_token_ms,
        "duration_ms": turn.duration_ms,
        "prompt_tokens": turn.prompt_tokens,
        "completion_tokens": turn.completion_tokens,
    }


def _escalation(session: Session, turn: Turn) -> dict[str, Any] | None:
    found = session.scalar(select(Escalation).where(Escalation.turn_id == turn.id))
    if found is None:
        return None
    return {
        "id": found.id,
        "reason": found.reason,
        "cause": found.cause,
        "state": found.state,
        "owner": found.owner,
    }


def _version(session: Session, version: Version) -> dict[str, Any]:
    manifest = version.manifest
    report = session.scalar(
        select(Report)
        .where(Report.challenger == version.id, Report.verdict.is_not(None))
        .order_by(Report.created_at.desc())
        .limit(1)
    )
    releases = session.scalars(
        select(Release).where(Release.version == version.id).order_by(Release.id)
    )
    return {
        "id": version.id,
        "state": version.state,
        "parent": version.parent,
        "base_model": version.base_model,
        "base_hash": version.base_hash,
        "adapter": version.adapter_path,
        "recipe": manifest.get("recipe"),
        "trained_at": version.created_at.isoformat(),
        "verdict": report.verdict if report else None,
        "report_id": report.id if report else None,
        "releases": [
            {"action": r.action, "by": r.actor, "at": r.created_at.isoformat()} for r in releases
        ],
    }


def _dataset(session: Session, version: Version, asked: list[Turn]) -> dict[str, Any]:
    dataset = session.get_one(Dataset, version.dataset_id)
    counts = session.execute(
        select(Example.source, func.count())
        .join(DatasetExample, DatasetExample.example_id == Example.id)
        .where(DatasetExample.dataset_id == dataset.id, DatasetExample.split != "kept_apart")
        .group_by(Example.source)
    ).all()
    question = asked[-1].content if asked else ""
    return {
        "id": dataset.id,
        "content_hash": dataset.content_hash,
        "examples_by_source": {str(source): count for source, count in counts},
        "nearest_examples": _nearest(session, dataset.id, question),
    }


def _nearest(session: Session, dataset_id: str, question: str) -> list[dict[str, Any]]:
    examples = session.scalars(
        select(Example)
        .join(DatasetExample, DatasetExample.example_id == Example.id)
        .where(DatasetExample.dataset_id == dataset_id, DatasetExample.split == "train")
    )
    scored = [(token_f1(question, e.prompt[-1]["content"]), e) for e in examples]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [_example(session, e, likeness) for likeness, e in scored[:_NEAREST] if likeness > 0]


def _example(session: Session, example: Example, likeness: float) -> dict[str, Any]:
    flag = session.get(Flag, example.flag_id) if example.flag_id else None
    return {
        "id": example.id,
        "likeness": round(likeness, 3),
        "question": example.prompt[-1]["content"],
        "chosen": example.chosen,
        "should_escalate": example.should_escalate,
        "source": example.source,
        "created_by": example.created_by,
        "approved_by": example.decided_by,
        "flag": _flag(flag) if flag else None,
    }


def _flag(flag: Flag) -> dict[str, Any]:
    return {
        "id": flag.id,
        "by": flag.agent,
        "reason": flag.reason,
        "correction": flag.correction,
        "should_escalate": flag.should_escalate,
        "note": flag.note,
        "at": flag.created_at.isoformat(),
    }
