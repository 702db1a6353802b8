"""What the gate must never do, what it must always do, and how often it errs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.gate import Decision, GateRules, judge
from evaluation.paired import Pairs
from records.assistant import Assistant
from records.errors import ConfigurationError
from records.states import Verdict

RULES = GateRules()
RANK = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}


def pairs(cases: int, *, fixed: int, broken: int, still_bad: int = 0) -> Pairs:
    return Pairs(cases=cases, still_bad=still_bad, fixed=fixed, broken=broken)


def together(*parts: Pairs) -> Pairs:
    return Pairs(
        cases=sum(part.cases for part in parts),
        still_bad=sum(part.still_bad for part in parts),
        fixed=sum(part.fixed for part in parts),
        broken=sum(part.broken for part in parts),
    )


def judged(known: Pairs, new: Pairs, rules: GateRules = RULES) -> Decision:
    return judge(together(known, new), {"knowledge=known": known, "knowledge=new": new}, rules)


def test_better_overall_and_worse_nowhere_passes() -> None:
    decision = judged(pairs(200, fixed=4, broken=3), pairs(200, fixed=90, broken=2, still_bad=60))
    assert decision.verdict is Verdict.PASS
    assert decision.settle == ()
    assert decision.reasons[0].startswith("Customers are served better: 38.5 % → 16.2 %")
    assert len(decision.reasons) == 3


def test_the_slice_with_the_greatest_loss_is_told_of_first() -> None:
    parts = {
        "better": pairs(300, fixed=60, broken=0),
        "a little worse": pairs(300, fixed=0, broken=2),
        "worse": pairs(300, fixed=0, broken=5),
    }
    decision = judge(together(*parts.values()), parts, RULES)
    assert decision.verdict is Verdict.PASS
    names = [reason.partition(":")[0] for reason in decision.reasons[1:]]
    assert names == ["worse", "a little worse", "better"]
    assert "(one-sided 95 % bound; allowed: under 5.0)" in decision.reasons[1]


def test_a_difference_is_that_of_the_rates_as_they_are_shown() -> None:
    decision = judged(
        pairs(500, fixed=29, broken=12, still_bad=200),
        pairs(492, fixed=28, broken=12, still_bad=180),
    )
    assert "44.1 % → 40.7 % of 992 cases not served right, -3.4 points" in decision.reasons[0]


def test_forgetting_on_a_slice_fails_even_if_overall_better() -> None:
    decision = judged(pairs(500, fixed=10, broken=90), pairs(500, fixed=300, broken=5))
    assert decision.verdict is Verdict.FAIL
    assert "knowledge=known got worse: 2.0 % → 18.0 %" in decision.reasons[0]
    assert any("served better" in reason for reason in decision.reasons)


def test_worse_overall_fails() -> None:
    decision = judged(pairs(200, fixed=5, broken=30), pairs(200, fixed=5, broken=30))
    assert decision.verdict is Verdict.FAIL
    assert "served worse" in decision.reasons[0]


def test_a_slice_shown_to_lose_less_than_the_margin_does_not_fail() -> None:
    slightly = pairs(4000, fixed=20, broken=80)  # worse by 1.5 points with confidence
    decision = judged(slightly, pairs(4000, fixed=800, broken=20))
    assert decision.verdict is Verdict.PASS


def test_no_difference_is_inconclusive_and_says_so() -> None:
    decision = judged(pairs(200, fixed=6, broken=6), pairs(200, fixed=6, broken=6))
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "not shown that customers are served better" in decision.reasons[0]
    assert "More cases won't" in decision.settle[0]


def test_a_small_gain_says_how_many_more_cases_would_settle_it() -> None:
    known, new = pairs(200, fixed=14, broken=8), pairs(200, fixed=14, broken=8)
    decision = judged(known, new)
    assert decision.verdict is Verdict.INCONCLUSIVE
    more = int(decision.settle[0].split()[1])
    times = (400 + more) / 400

    def grown(part: Pairs) -> Pairs:
        return pairs(
            round(part.cases * times),
            fixed=round(part.fixed * times),
            broken=round(part.broken * times),
        )

    assert judged(grown(known), grown(new)).verdict is Verdict.PASS


def test_nothing_at_all_is_inconclusive() -> None:
    decision = judge(pairs(0, fixed=0, broken=0), {}, RULES)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "Too few cases: 0" in decision.reasons[0]
    assert decision.settle == ("Add at least 300 cases.",)


def test_harm_is_seen_in_fewer_cases_than_safety() -> None:
    assert judge(pairs(120, fixed=0, broken=60), {}, RULES).verdict is Verdict.FAIL
    assert judge(pairs(120, fixed=60, broken=0), {}, RULES).verdict is Verdict.INCONCLUSIVE


def test_only_named_slices_are_judged() -> None:
    overall = pairs(400, fixed=100, broken=2)
    slices = {"language=fi": pairs(3, fixed=0, broken=1), "knowledge=new": overall}
    assert judge(overall, slices, RULES).verdict is Verdict.INCONCLUSIVE
    named = RULES.model_copy(update={"slices": ("knowledge",)})
    assert judge(overall, slices, named).verdict is Verdict.PASS


def test_rules_refuse_what_they_do_not_know(assistant: Assistant) -> None:
    wrong = assistant.model_copy(update={"gate": {"slice_margn": 0.1}})
    with pytest.raises(ConfigurationError, match=r"gate\.slice_margn"):
        GateRules.of(wrong)
    assert GateRules.of(assistant) == RULES


parts = st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(
    lambda drawn: pairs(
        drawn[0],
        fixed=int(drawn[0] * drawn[1] * drawn[2]),
        broken=int(drawn[0] * (1 - drawn[1]) * drawn[2]),
        still_bad=int(drawn[0] * (1 - drawn[2]) * drawn[3]),
    )
)


@given(parts, parts)
@settings(max_examples=50, deadline=None)
def test_too_few_cases_never_pass(known: Pairs, new: Pairs) -> None:
    assume(
        known.cases + new.cases < RULES.min_cases
        or min(known.cases, new.cases) < RULES.min_slice_cases
    )
    assert judged(known, new).verdict is not Verdict.PASS


@given(parts, parts)
@settings(max_examples=50, deadline=None)
def test_a_case_that_is_not_broken_after_all_never_worsens_the_verdict(
    known: Pairs, new: Pairs
) -> None:
    assume(known.broken > 0)
    mended = replace(known, broken=known.broken - 1)
    assert RANK[judged(mended, new).verdict] >= RANK[judged(known, new).verdict]


@given(parts, parts)
@settings(max_examples=50, deadline=None)
def test_a_case_more_that_is_fixed_never_worsens_the_verdict(known: Pairs, new: Pairs) -> None:
    assume(known.still_bad > 0)
    mended = replace(known, still_bad=known.still_bad - 1, fixed=known.fixed + 1)
    assert RANK[judged(mended, new).verdict] >= RANK[judged(known, new).verdict]


@given(parts, parts)
@settings(max_examples=50, deadline=None)
def test_a_wider_margin_never_worsens_the_verdict(known: Pairs, new: Pairs) -> None:
    wide = RULES.model_copy(update={"slice_margin": 0.15})
    assert RANK[judged(known, new, wide).verdict] >= RANK[judged(known, new).verdict]


@given(parts, parts)
@settings(max_examples=50, deadline=None)
def test_every_verdict_has_its_sentences(known: Pairs, new: Pairs) -> None:
    decision = judged(known, new)
    assert decision.reasons
    assert all(said.endswith(".") for said in (*decision.reasons, *decision.settle))
    assert bool(decision.settle) or decision.verdict is not Verdict.INCONCLUSIVE


@pytest.mark.parametrize("margin", [0.03, 0.05])
@pytest.mark.parametrize("fixed_share", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("cases", [60, 90, 200])
def test_a_slice_that_loses_the_margin_passes_at_most_one_time_in_twenty(
    cases: int, fixed_share: float, margin: float
) -> None:
    """Exact: B = A - margin on this slice, and far better elsewhere, over all outcomes."""
    rules = RULES.model_copy(update={"slice_margin": margin})
    elsewhere = pairs(1000, fixed=500, broken=0)
    probability = 0.0
    for fixed in range(cases // 2):
        chance = float(stats.binom.pmf(fixed, cases, fixed_share))
        if chance < 1e-6:
            continue
        broken = 0
        while judged(pairs(cases, fixed=fixed, broken=broken), elsewhere, rules).verdict is (
            Verdict.PASS
        ):
            share = (fixed_share + margin) / (1 - fixed_share)
            probability += chance * float(stats.binom.pmf(broken, cases - fixed, share))
            broken += 1
    assert probability <= 0.05


def test_a_challenger_no_better_than_the_champion_hardly_ever_passes() -> None:
    random = np.random.default_rng(2)
    verdicts = []
    for _ in range(300):
        halves = [random.multinomial(250, [0.06, 0.06, 0.88]) for _ in range(2)]
        known, new = (pairs(250, fixed=int(h[0]), broken=int(h[1])) for h in halves)
        verdicts.append(judged(known, new).verdict)
    assert verdicts.count(Verdict.PASS) / 300 <= 0.05
    assert verdicts.count(Verdict.FAIL) / 300 <= 0.12
