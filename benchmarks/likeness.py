"""How alike must two questions be to be shown together? What `records/likeness.py` goes by.

    python benchmarks/likeness.py

Compares each question of BANKING77 with each other one: for bounds of likeness, how many pairs
reach it, and the share of them that ask about the same topic.
"""

import csv
from pathlib import Path

import numpy as np
from scipy import sparse

from records.likeness import shingles

DATA = Path(__file__).resolve().parents[1] / "deploy" / "demo" / "data" / "banking77.csv"
BOUNDS = [0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90]
_ROWS = 500


def main() -> None:
    """Print the table."""
    with DATA.open(newline="", encoding="utf-8") as file:
        topics = {row["text"].strip(): row["category"] for row in csv.DictReader(file)}
    reached, same = measured(list(topics), np.unique(list(topics.values()), return_inverse=True)[1])
    print(f"{len(topics):,} questions")
    print("likeness   pairs    same topic")
    for bound, pairs, alike in zip(BOUNDS, reached, same, strict=True):
        print(f"  ≥ {bound:.2f}  {pairs:7,}   {alike / pairs:8.1%}")


def measured(texts: list[str], topics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that reach each bound, and those of them with one topic."""
    groups = [shingles(text) for text in texts]
    columns = {shingle: place for place, shingle in enumerate(sorted(frozenset().union(*groups)))}
    rows = [row for row, group in enumerate(groups) for _ in group]
    places = [columns[shingle] for group in groups for shingle in group]
    held = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, places)))
    sizes = np.array([len(group) for group in groups], np.float32)
    reached, same = np.zeros(len(BOUNDS), int), np.zeros(len(BOUNDS), int)
    for first in range(0, len(texts), _ROWS):
        part = slice(first, first + _ROWS)
        shared = (held[part] @ held.T).toarray()
        likeness = shared / (sizes[part, None] + sizes[None] - shared)
        likeness[np.arange(len(texts))[None] <= np.arange(len(texts))[part, None]] = 0  # once each
        one_topic = topics[part, None] == topics[None]
        for place, bound in enumerate(BOUNDS):
            reached[place] += (likeness >= bound).sum()
            same[place] += ((likeness >= bound) & one_topic).sum()
    return reached, same


if __name__ == "__main__":
    main()
