"""The report as data: the one plain dictionary that all who show a report show.

    assistant, champion, challenger, verdict, reasons[], settle[]
    cases      {count, hash, path, unusable_lines[{line, reason}], trained_on}
    metrics[]  {name, label, better, champion, challenger, difference, p_value}
    slices[]   {name, cases, champion, challenger, difference, fixed, broken}; one of them is
               `old skills`, where any were asked about
    forgetting {cases, source, left_out, broken[ids]}: which old skills, and what was lost; or None
    search     how the recipe was found (`search_wording.py`), or None
    changes    {fixed, broken, reworded, shown[{kind, case_id, topic, question, reference,
               should_escalate, champion{text, escalated, token_f1}, challenger{...}}]}
    answers    {version: {refused, truncated, marker_unclean, mean_words, median_ms}}
    lineage    {version: {base_model, base_hash, adapter_path, dataset_id, parent}}
    rules, generation, confidence, command, alt_text (the plot in words, added by `wording`)

An estimate is {value, low, high, cases, note}; shares and F1 are 0..1, differences are challenger
less champion. Without a champion its entries, `verdict` and the differences are None.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.cases import Case, CaseFile
from evaluation.change import Change, change
from evaluation.comparison import Comparison, SliceComparison, slice_rows
from evaluation.forgetting import NAME as OLD_SKILLS
from evaluation.forgetting import Suite
from evaluation.gate import Decision, GateRules
from evaluation.intervals import Estimate, Sampling
from evaluation.metrics import METRICS, NOT_SERVED_RIGHT, measure
from evaluation.scores import Score
from evaluation.table import ScoreTable
from records.assistant import Assistant
from records.messages import Role
from records.tables import Version

SHOWN_CHANGES = 10
SHOWN_LOST = 50
"""Ids of lost old skills that are listed."""


@dataclass(frozen=True, slots=True)
class Side:
    """A version with what it scored, in the order of the cases."""

    version: Version
    scores: Sequence[Score]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the answers to questions about old skills are worth, in the order of the questions."""

    suite: Suite
    challenger: Sequence[Score]
    champion: Sequence[Score] | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, before it is put into words. `cases` are those that counted."""

    assistant: Assistant
    rules: GateRules
    file: CaseFile
    cases: Sequence[Case]
    challenger: Side
    champion: Side | None
    confidence: float
    old_skills: Recalled | None = None


def compared_body(
    measured: Measured,
    comparison: Comparison,
    decision: Decision,
    *,
    old_skills: SliceComparison | None = None,
) -> dict[str, Any]:
    """The report on a challenger against a champion."""
    metrics = [
        {
            "name": entry.metric.name,
            "label": entry.metric.label,
            "better": str(entry.metric.direction),
            "champion": asdict(entry.champion),
            "challenger": asdict(entry.challenger),
            "difference": asdict(entry.difference),
            "p_value": entry.p_value,
        }
        for entry in comparison.metrics
    ]
    slices = [
        {
            "name": entry.name,
            "cases": entry.pairs.cases,
            "champion": asdict(entry.champion),
            "challenger": asdict(entry.challenger),
            "difference": asdict(entry.difference),
            "fixed": entry.pairs.fixed,
            "broken": entry.pairs.broken,
        }
        for entry in (*comparison.slices, *([old_skills] if old_skills else []))
    ]
    return {
        **_common(measured),
        "verdict": str(decision.verdict),
        "reasons": list(decision.reasons),
        "settle": list(decision.settle),
        "metrics": metrics,
        "slices": slices,
        "changes": {
            "fixed": comparison.pairs.fixed,
            "broken": comparison.pairs.broken,
            "reworded": _reworded(measured),
            "shown": _changes(measured),
        },
    }


def single_body(
    measured: Measured,
    table: ScoreTable,
    sampling: Sampling,
    *,
    old_skills: ScoreTable | None = None,
) -> dict[str, Any]:
    """The report on one version by itself."""
    metrics = [
        {
            "name": metric.name,
            "label": metric.label,
            "better": str(metric.direction),
            **_alone(measure(metric, table, sampling)),
            "p_value": None,
        }
        for metric in METRICS
    ]
    parts = {name: table.take(rows) for name, rows in slice_rows(measured.cases).items()}
    if old_skills is not None:
        parts[OLD_SKILLS] = old_skills
    slices = [
        {
            "name": name,
            "cases": len(part),
            **_alone(measure(NOT_SERVED_RIGHT, part, sampling)),
            "fixed": None,
            "broken": None,
        }
        for name, part in parts.items()
    ]
    return {
        **_common(measured),
        "verdict": None,
        "reasons": [],
        "settle": [],
        "metrics": metrics,
        "slices": slices,
        "changes": {"fixed": None, "broken": None, "reworded": None, "shown": _changes(measured)},
    }


def _reworded(measured: Measured) -> int:
    """Answers in other words that are as right, or as wrong, as they were."""
    assert measured.champion is not None
    pairs = zip(measured.champion.scores, measured.challenger.scores, strict=True)
    return sum(change(old, new) is Change.REWORDED for old, new in pairs)


def _alone(estimate: Estimate) -> dict[str, Any]:
    return {"champion": None, "challenger": asdict(estimate), "difference": None}


def _common(measured: Measured) -> dict[str, Any]:
    file, sides = measured.file, [s for s in (measured.champion, measured.challenger) if s]
    return {
        "assistant": measured.assistant.name,
        "champion": measured.champion.version.id if measured.champion else None,
        "challenger": measured.challenger.version.id,
        "cases": {
            "count": len(measured.cases),
            "hash": file.hash,
            "path": file.path,
            "unusable_lines": [asdict(problem) for problem in file.problems],
            "trained_on": len(file.cases) - len(measured.cases),
        },
        "forgetting": _forgetting(measured.old_skills),
        "search": (measured.challenger.version.manifest or {}).get("search"),
        "answers": {side.version.id: _answers(side.scores) for side in sides},
        "lineage": {side.version.id: _lineage(side.version) for side in sides},
        "rules": measured.rules.model_dump(mode="json"),
        "generation": measured.assistant.generation.model_dump(mode="json"),
        "confidence": measured.confidence,
        "command": _command(measured),
    }


def _forgetting(recalled: Recalled | None) -> dict[str, Any] | None:
    """Which questions about old skills were asked, and the ids of those that were lost."""
    if recalled is None:
        return None
    suite = recalled.suite
    nobody: list[Score | None] = [None] * len(recalled.challenger)
    before = recalled.champion or nobody
    lost = [
        suite.names[new.case_id]
        for old, new in zip(before, recalled.challenger, strict=True)
        if new.not_served_right and (old is None or not old.not_served_right)
    ]
    return {
        "cases": len(suite.cases),
        "source": suite.source,
        "left_out": suite.left_out,
        "broken": lost[:SHOWN_LOST],
    }


def _command(measured: Measured) -> str:
    if measured.champion is None:
        command = f"understudy evaluate {measured.challenger.version.id}"
    else:
        command = (
            f"understudy compare {measured.champion.version.id} {measured.challenger.version.id}"
        )
    return f"{command} --cases {measured.file.path}" if measured.file.path else command


def _answers(scores: Sequence[Score]) -> dict[str, Any]:
    durations = [score.duration_ms for score in scores if score.duration_ms is not None]
    return {
        "refused": sum(score.refused for score in scores),
        "truncated": sum(score.truncated for score in scores),
        "marker_unclean": sum(not score.marker_clean for score in scores),
        "mean_words": statistics.fmean(s.length_words for s in scores) if scores else None,
        "median_ms": statistics.median(durations) if durations else None,
    }


def _lineage(version: Version) -> dict[str, Any]:
    return {
        "base_model": version.base_model,
        "base_hash": version.base_hash,
        "adapter_path": version.adapter_path,
        "dataset_id": version.dataset_id,
        "parent": version.parent,
    }


def _changes(measured: Measured) -> list[dict[str, Any]]:
    """The most telling answers: half of them broken and half fixed, where there are so many.

    Without a champion: answers that did not serve the customer.
    """
    after = measured.challenger.scores
    before = measured.champion.scores if measured.champion else [None] * len(after)
    found: dict[str, list[tuple[Case, Score | None, Score]]] = {"broken": [], "fixed": []}
    for case, old, new in zip(measured.cases, before, after, strict=True):
        if new.not_served_right and (old is None or not old.not_served_right):
            found["broken"].append((case, old, new))
        elif old is not None and old.not_served_right and not new.not_served_right:
            found["fixed"].append((case, old, new))
    broken, fixed = _varied(found["broken"]), _varied(found["fixed"])
    half = SHOWN_CHANGES // 2
    broken_count = max(half, SHOWN_CHANGES - len(fixed))
    chosen = [("broken" if measured.champion else "wrong", row) for row in broken[:broken_count]]
    chosen += [("fixed", row) for row in fixed[: SHOWN_CHANGES - len(chosen)]]
    return [_change(kind, *row) for kind, row in chosen]


def _varied(rows: list[tuple[Case, Score | None, Score]]) -> list[tuple[Case, Score | None, Score]]:
    """The strongest change of each topic first, then the second of each, and so on."""
    ranked = sorted(rows, key=lambda row: (-_strength(row[1], row[2]), row[0].id))
    seen: dict[str | None, int] = {}
    rounds = []
    for row in ranked:
        seen[row[0].topic] = seen.get(row[0].topic, 0) + 1
        rounds.append((seen[row[0].topic], row))
    return [row for _, row in sorted(rounds, key=lambda pair: pair[0])]


def _strength(old: Score | None, new: Score) -> float:
    if old is None:
        return 1 - new.token_f1
    return abs(new.token_f1 - old.token_f1) + (old.escalated != new.escalated)


def _change(kind: str, case: Case, old: Score | None, new: Score) -> dict[str, Any]:
    asked = [message.content for message in case.messages if message.role is Role.CUSTOMER]
    return {
        "kind": kind,
        "case_id": case.id,
        "topic": case.topic,
        "question": asked[-1],
        "reference": case.reference,
        "should_escalate": case.should_escalate,
        "champion": _said(old) if old else None,
        "challenger": _said(new),
    }


def _said(score: Score) -> Mapping[str, Any]:
    return {"text": score.text, "escalated": score.escalated, "token_f1": round(score.token_f1, 4)}
