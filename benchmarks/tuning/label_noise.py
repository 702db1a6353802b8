"""Of corrections made wrong on purpose, how many are found, and how many that are found are wrong.

Questions of Banking77 with the answers of the demo's policy; a share of them gets the answer of
another topic: of any, or of one that is easily taken for it (one of the five whose questions are
most alike). Random samples and errors by three seeds; the mean is printed, with the smallest and
largest value. Each figure of a line is from the same run.

    python -m benchmarks.tuning.label_noise
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np

from deploy.demo.queries import Policy, Query, load_policy, load_queries
from evaluation.label_noise import word_vectors
from tuning.dataset.label_noise import CLEAR, Taught, find_noise
from tuning.dataset.options import Features

SEEDS = (1, 2, 3)
ALIKE = 5


@dataclass(frozen=True)
class Run:
    """What was found among examples of which some were made wrong."""

    recall: float
    precision: float
    expected_right: float
    """Of wrong ones that were found, how often the answer that is expected is the right one."""
    found: int
    seconds: float


def main() -> None:
    """Print the tables."""
    policy = load_policy()
    queries = load_queries()
    print(f"{len(queries):,} questions, {len({q.topic for q in queries})} answers; cut at {CLEAR}")
    print(f"{'examples':>9} {'wrong':>6} {'by':>6} {'features':>10} {'recall':>19}", end=" ")
    print(f"{'precision':>19} {'expected ok':>11} {'s':>6}")
    for number, share in ((2000, 0.2), (2000, 0.05), (2000, 0.0), (len(queries), 0.2)):
        for alike in (False, True) if share else (False,):
            for features in (Features.WORDS, Features.SENTENCES):
                if features is Features.SENTENCES and number > 2000:
                    continue  # minutes on two cores; by itself it is not chosen there
                runs = [
                    run(
                        policy, queries, number, share=share, alike=alike, features=features, seed=s
                    )
                    for s in SEEDS
                ]
                show(runs, number, share=share, alike=alike, features=features)
    twenty_thousand(policy, queries)


def run(
    policy: Policy,
    queries: Sequence[Query],
    number: int,
    *,
    share: float,
    alike: bool,
    features: Features,
    seed: int,
) -> Run:
    """Make some wrong, look for them, and count."""
    rng = np.random.default_rng(seed)
    chosen = [queries[at] for at in rng.permutation(len(queries))[:number]]
    right = {f"ex_{at}": query.topic for at, query in enumerate(chosen)}
    taught = dict(right)
    others = neighbours(chosen) if alike else {}
    for at in rng.choice(number, int(share * number), replace=False):
        name, topic = f"ex_{at}", chosen[at].topic
        pool = others[topic] if alike else sorted(set(right.values()) - {topic})
        taught[name] = pool[int(rng.integers(len(pool)))]
    examples = [
        answered(f"ex_{at}", query.text, taught[f"ex_{at}"], policy)
        for at, query in enumerate(chosen)
    ]
    started = time.perf_counter()
    doubted = find_noise(examples, features=features, least=0.0).candidates
    seconds = time.perf_counter() - started
    wrong = {name for name in right if right[name] != taught[name]}
    found = [one for one in doubted if one.score >= CLEAR]
    caught = [one for one in found if one.id in wrong]
    return Run(
        recall=len(caught) / len(wrong) if wrong else 0.0,
        precision=len(caught) / len(found) if found else 0.0,
        expected_right=mean(one.expected == policy.target(right[one.id]) for one in caught)
        if caught
        else 0.0,
        found=len(found),
        seconds=seconds,
    )


def answered(name: str, question: str, topic: str, policy: Policy) -> Taught:
    """A question with the answer of a topic."""
    return Taught(name, question, policy.target(topic), policy.topics[topic].handover)


def neighbours(queries: Sequence[Query]) -> dict[str, list[str]]:
    """For each topic those whose questions are most like its own, on average."""
    vectors = word_vectors([query.text for query in queries])
    topics = sorted({query.topic for query in queries})
    of = np.array([topics.index(query.topic) for query in queries])
    centres = np.stack([vectors[of == at].mean(axis=0) for at in range(len(topics))])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    cosines = centres @ centres.T
    np.fill_diagonal(cosines, -1)
    near = np.argsort(-cosines, axis=1)[:, :ALIKE]
    return {topic: [topics[other] for other in near[at]] for at, topic in enumerate(topics)}


def show(
    runs: Sequence[Run], number: int, *, share: float, alike: bool, features: Features
) -> None:
    """One line of the table."""
    by = ("alike" if alike else "any") if share else "-"
    line = f"{number:>9,} {share:>6.0%} {by:>6} {features:>10} "
    if not share:
        found = mean(one.found for one in runs)
        print(f"{line}{found:>8.0f} found, {found / number:.1%} of all")
        return
    for name in ("recall", "precision"):
        values = [getattr(one, name) for one in runs]
        line += f"{mean(values):>6.3f} ({min(values):.3f}-{max(values):.3f}) "
    line += f"{mean(one.expected_right for one in runs):>11.3f} "
    print(f"{line}{mean(one.seconds for one in runs):>6.1f}")


def twenty_thousand(policy: Policy, queries: Sequence[Query]) -> None:
    """How long the greatest number takes that is compared: each question twice, a word left out."""
    rng = np.random.default_rng(1)
    doubled = [*queries, *(replace(q, text=_without_a_word(q.text, rng)) for q in queries)]
    doubled = (doubled * 2)[:20_000]
    examples = [
        answered(f"ex_{at}", query.text, query.topic, policy) for at, query in enumerate(doubled)
    ]
    started = time.perf_counter()
    noise = find_noise(examples, features=Features.WORDS)
    print(f"{noise.judged:,} examples by words: {time.perf_counter() - started:.1f} s")


def _without_a_word(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    if len(words) > 3:
        words.pop(int(rng.integers(len(words))))
    return " ".join(words)


if __name__ == "__main__":
    main()
