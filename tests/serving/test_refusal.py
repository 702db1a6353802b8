"""What the engine refuses, told in our own words."""

import pytest

from records.engine import exceeds_context
from records.errors import EngineRefused
from serving.refusal import reworded

TOO_LONG = (
    "This model's maximum context length is 512 tokens. However, your prompt contains at least "
    "513 input tokens, which exceeds this limit even without any output tokens.",
    "Input length (700) exceeds model's maximum context length (512).",
    "The decoder prompt (length 600) is longer than the maximum model length of 512. Make sure "
    "that `max_model_len` is no smaller than the number of text tokens.",
)


@pytest.mark.parametrize("message", TOO_LONG)
def test_a_prompt_that_is_too_long_is_known(message: str) -> None:
    assert exceeds_context(EngineRefused(message))
    assert reworded(message).code == "context_length_exceeded"
    assert reworded(message).param == "messages"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser', "tools"),
        ("Failed to transform json schema into a grammar: bad", "response_format"),
        ("Invalid grammar specification.", "response_format"),
        ("min_tokens must be less than or equal to max_tokens=3, got 5.", "min_tokens"),
        ("The model vocabulary size is 10, but logit_bias names token 11", "logit_bias"),
        ("temperature must be in [0, 2], got 3.", "temperature"),
        ("[{'loc': ('body', 'top_k'), 'input': 'erika'}]", "top_k"),
        ("something at /srv/models/x on 10.0.0.7:8100", None),
        ("", None),
    ],
)
def test_the_engines_words_never_pass(message: str, param: str | None) -> None:
    refusal = reworded(message)
    assert refusal.param == param
    assert not exceeds_context(EngineRefused(message))
    for secret in ("--enable", "10.0.0.7", "/srv", "erika", "bad", "got 3", "size is 10"):
        assert secret not in refusal.words
