"""The gate: the rule that turns paired counts into PASS, FAIL or INCONCLUSIVE. Pure.

PASS needs evidence of two kinds: the challenger is better on the primary metric, and on no slice,
and on no old skill, is it worse by as much as the margin. To be shown harmful needs fewer cases
than to be shown safe, so FAIL may be said where PASS may not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.paired import Pairs, cases_needed
from records.assistant import Assistant
from records.errors import ConfigurationError
from records.rounding import shown_difference
from records.states import Verdict

_CAUTION = 0.9
"""Share of the allowed error that the non-inferiority bound may use. The score bound is
asymptotic: enumerated over 50 to 1,000 cases and margins of 3 and 5 points, a nominal 5 % is
wrong up to 6.5 % of the time where nothing is ever fixed; a nominal 4.5 % stays under 5 %."""


class GateRules(BaseModel):
    """What a challenger must show, from the `gate` section of the assistant's YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    primary: Literal["not_served_right"] = Field(
        default="not_served_right", description="The metric that must get better."
    )
    min_cases: int = Field(default=300, ge=1, description="Fewer are too few for PASS.")
    min_slice_cases: int = Field(
        default=50, ge=1, description="Fewer in any judged slice are too few for PASS."
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    slice_margin: float = Field(
        default=0.05, gt=0, lt=1, description="A slice must be shown to lose less than this share."
    )
    slices: tuple[str, ...] | None = Field(
        default=None, description="Slice keys that are judged; the others are shown. Unset: all."
    )
    forgetting_margin: float | None = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="Old skills must be shown to lose less than this share; null: they are shown, "
        "and not judged. It is wider than a slice's, because the old answers are the champion's "
        "own: what is only put in other words counts as lost.",
    )
    min_forgetting_cases: int = Field(
        default=50, ge=1, description="Fewer questions about old skills are not judged."
    )
    right_answer_f1: float = Field(
        default=0.8, gt=0, le=1, description="Token-F1 from which an answer counts as right."
    )

    @classmethod
    def of(cls, assistant: Assistant) -> Self:
        """The rules of an assistant.

        Raises:
            ConfigurationError: an unknown or wrong key.
        """
        try:
            return cls.model_validate(assistant.gate)
        except ValidationError as error:
            problem = error.errors()[0]
            key = ".".join(str(part) for part in ("gate", *problem["loc"]))
            raise ConfigurationError(
                f"Assistant {assistant.name!r}: {key}: {problem['msg']}."
            ) from error

    def judges(self, slice_name: str) -> bool:
        """Whether a slice such as `knowledge=new` counts for the verdict."""
        return self.slices is None or slice_name.partition("=")[0] in self.slices

    @property
    def tail(self) -> float:
        """Error allowed on each side of the primary's two-sided interval."""
        return (1 - self.confidence) / 2

    @property
    def slice_tail(self) -> float:
        """Error allowed to the one-sided bound of a slice's loss."""
        return (1 - self.confidence) * _CAUTION


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the sentences why, and what would settle it where it is open."""

    verdict: Verdict
    reasons: tuple[str, ...]
    settle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one comparison shows; `verdict` is the most that it allows."""

    verdict: Verdict
    reason: str
    settle: str | None = None


@dataclass(frozen=True, slots=True)
class OldSkills:
    """What became of the answers that customers were content with."""

    pairs: Pairs
    named: bool
    """Whether the assistant's file names the questions: too few of those leave it open."""


def judge(
    overall: Pairs,
    slices: Mapping[str, Pairs],
    rules: GateRules,
    *,
    old_skills: OldSkills | None = None,
) -> Decision:
    """The verdict on a challenger.

    FAIL: worse on the primary metric with confidence, or on a slice of enough cases, unless that
    loss is shown to be within the margin. PASS: enough cases, better on the primary with
    confidence, and every slice shown to lose less than the margin. Otherwise INCONCLUSIVE.
    Old skills are judged by a margin of their own, and fail where they are shown to lose more than
    that: any loss would be too strict, because what is right there is what the champion said.

    The decisive reasons come first, those of slices with the greatest loss first.
    """
    findings = [_judge_overall(overall, rules)]
    if old_skills is not None and old_skills.pairs.cases:
        findings.append(_judge_old_skills(old_skills, rules))
    judged = [(name, pairs) for name, pairs in slices.items() if rules.judges(name)]
    judged.sort(key=lambda slice_: -slice_[1].loss if slice_[1].cases else 0.0)
    findings += [_judge_slice(name, pairs, rules) for name, pairs in judged]
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        decisive = [finding for finding in findings if finding.verdict is verdict]
        if decisive:
            context = findings[:1] if decisive[0] is not findings[0] else []
            reasons = tuple(finding.reason for finding in [*decisive, *context])
            settle = tuple(finding.settle for finding in decisive if finding.settle)
            return Decision(verdict, reasons, settle)
    return Decision(Verdict.PASS, tuple(finding.reason for finding in findings))


def _judge_overall(pairs: Pairs, rules: GateRules) -> _Finding:
    if pairs.cases < rules.min_slice_cases:
        return _too_few("", pairs.cases, least=rules.min_cases)
    low, high = pairs.loss_bounds(tail=rules.tail)
    figures = _figures(pairs, low, high, rules)
    if low > 0:
        return _Finding(Verdict.FAIL, f"Customers are served worse: {figures}.")
    if pairs.cases < rules.min_cases:
        return _too_few("", pairs.cases, least=rules.min_cases)
    if high < 0:
        return _Finding(Verdict.PASS, f"Customers are served better: {figures}.")
    return _Finding(
        Verdict.INCONCLUSIVE,
        f"It is not shown that customers are served better: {figures}.",
        _settle_overall(pairs, rules),
    )


def _judge_slice(name: str, pairs: Pairs, rules: GateRules) -> _Finding:
    if pairs.cases < rules.min_slice_cases:
        return _too_few(f" of {name}", pairs.cases, least=rules.min_slice_cases)
    return _judge_part(name, pairs, rules, margin=rules.slice_margin)


def _judge_old_skills(old_skills: OldSkills, rules: GateRules) -> _Finding:
    pairs, least = old_skills.pairs, rules.min_forgetting_cases
    if rules.forgetting_margin is None or (pairs.cases < least and not old_skills.named):
        change = f"{_rate(pairs.champion_rate)} → {_rate(pairs.challenger_rate)} not served right"
        few = "" if rules.forgetting_margin is None else f" (fewer than {least})"
        return _Finding(
            Verdict.PASS, f"Old skills, not judged: {change} of {pairs.cases} questions{few}."
        )
    if pairs.cases < least:
        return _too_few(" of old skills", pairs.cases, least=least)
    margin = rules.forgetting_margin
    return _judge_part("Old skills", pairs, rules, margin=margin, harm=margin)


def _judge_part(
    name: str, pairs: Pairs, rules: GateRules, *, margin: float, harm: float = 0.0
) -> _Finding:
    """Whether a part of the cases loses less than `margin`, or more than `harm` for certain."""
    low, high = pairs.loss_bounds(tail=rules.slice_tail)
    change = f"{_rate(pairs.champion_rate)} → {_rate(pairs.challenger_rate)} not served right"
    bound = f"(one-sided {_percent(rules.confidence)} bound; allowed: under {_points(margin)})"
    if high < margin:
        most = f"at most {_points(high)} points worse" if high > 0 else "not worse"
        return _Finding(Verdict.PASS, f"{name}: {change}; {most} {bound}.")
    if low > harm:
        return _Finding(
            Verdict.FAIL,
            f"{name} got worse: {change}; at least {_points(low)} points worse {bound}.",
        )
    return _Finding(
        Verdict.INCONCLUSIVE,
        f"{name}: {change}; perhaps {_points(high)} points worse {bound}.",
        _settle_slice(name, pairs, rules, margin=margin),
    )


def _too_few(which: str, cases: int, *, least: int) -> _Finding:
    return _Finding(
        Verdict.INCONCLUSIVE,
        f"Too few cases{which}: {cases}; a verdict needs at least {least}.",
        f"Add at least {least - cases} cases{which}.",
    )


def _settle_overall(pairs: Pairs, rules: GateRules) -> str:
    needed = cases_needed(pairs, tail=rules.tail, below=0.0)
    if needed is None:
        return (
            "More cases won't make this a PASS: the challenger is not better on these, or by next "
            "to nothing. Train it on more corrections."
        )
    more = _rounded(needed - pairs.cases)
    return f"About {more} more cases would settle it, if the difference is as measured."


def _settle_slice(name: str, pairs: Pairs, rules: GateRules, *, margin: float) -> str:
    needed = cases_needed(pairs, tail=rules.slice_tail, below=margin)
    if needed is None:
        return (
            f"More cases won't show {name} to be safe: its measured loss of "
            f"{_points(pairs.loss)} points is not within the margin. Train with more examples of "
            "it (replay of accepted answers keeps old skills)."
        )
    more = _rounded(needed - pairs.cases)
    return f"About {more} more cases of {name} would settle it, if the rates stay as measured."


def _figures(pairs: Pairs, low: float, high: float, rules: GateRules) -> str:
    before, after = pairs.champion_rate, pairs.challenger_rate
    change = shown_difference(100 * before, 100 * after, digits=1)
    return (
        f"{_rate(before)} → {_rate(after)} of {pairs.cases} cases not served right, {change:+.1f} "
        f"points ({_percent(rules.confidence)} interval {_points(low, sign=True)} to "
        f"{_points(high, sign=True)})"
    )


def _rounded(cases: int) -> int:
    """Two digits say as much as is known."""
    step: int = 10 ** max(0, len(str(max(cases, 1))) - 2)
    return max(1, math.ceil(cases / step) * step)


def _rate(share: float) -> str:
    return f"{100 * share:.1f} %"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _points(share: float, *, sign: bool = False) -> str:
    points = round(100 * share, 1) + 0.0  # no "-0.0"
    return f"{points:+.1f}" if sign else f"{points:.1f}"
