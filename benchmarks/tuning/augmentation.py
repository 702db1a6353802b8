"""What the checks of augmentation see, on BANKING77: python -m benchmarks.tuning.augmentation [N].

Prints the cosines of questions on one topic and on different ones, how often the nearest labelled
question has the right topic, what becomes of wordings made by rules, and the rate.
"""

import csv
import random
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from records.offline import go_offline
from tuning.augmentation.checks import LEAST_SIMILARITY, MOST_SIMILARITY, text_problem
from tuning.augmentation.rules import wordings
from tuning.dataset.sentence_vectors import sentence_vectors

_DATA = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "data" / "banking77.csv"
_PER_TOPIC = 12


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 900
    go_offline()
    with _DATA.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    random.Random(7).shuffle(rows)
    taken: Counter[str] = Counter()
    chosen = []
    for row in rows:
        if taken[row["category"]] < _PER_TOPIC and len(chosen) < number:
            taken[row["category"]] += 1
            chosen.append(row)
    texts = [row["text"] for row in chosen]
    topics = np.array([row["category"] for row in chosen])
    began = time.process_time()
    vectors = sentence_vectors(texts)
    print(f"{len(texts)} questions, {len(texts) / (time.process_time() - began):.0f} a core second")
    cosines = vectors @ vectors.T
    pairs = np.triu_indices(len(texts), k=1)
    same = (topics[:, None] == topics[None, :])[pairs]
    for name, found in (("one topic", cosines[pairs][same]), ("others", cosines[pairs][~same])):
        quartiles = ", ".join(f"{q:.2f}" for q in np.quantile(found, [0.05, 0.25, 0.5, 0.75, 0.95]))
        within = float(np.mean((found >= LEAST_SIMILARITY) & (found <= MOST_SIMILARITY)))
        print(f"{name}: cosine at 5, 25, 50, 75, 95 %: {quartiles}; within bounds {within:.1%}")
    np.fill_diagonal(cosines, -1)
    right = topics[np.argmax(cosines, axis=1)] == topics
    print(f"the nearest other question is on the same topic: {right.mean():.1%}")
    _rules(texts, vectors, topics)


def _rules(texts: list[str], vectors: np.ndarray, topics: np.ndarray) -> None:
    made = [(at, w) for at, text in enumerate(texts) for w in wordings(text, 3, seed=str(at))]
    problems = Counter(text_problem(texts[at], wording, []) or "usable" for at, wording in made)
    print(f"rules: {len(made)} wordings of {len(texts)}; {dict(problems)}")
    sample = made[:: max(1, len(made) // 600)]
    ours = sentence_vectors([wording for _, wording in sample])
    similar = np.sum(ours * vectors[[at for at, _ in sample]], axis=1)
    nearest = topics[np.argmax(ours @ vectors.T, axis=1)]
    kept = float(np.mean(nearest == topics[[at for at, _ in sample]]))
    low, middle = np.quantile(similar, [0.05, 0.5])
    print(f"rules: cosine with the question {low:.2f} (5 %), {middle:.2f} (half); topic {kept:.1%}")


if __name__ == "__main__":
    main()
