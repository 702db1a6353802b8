"""The base model's card: what it is, what it learned from, how well it does, how to build it."""

from typing import Any

CARD = """\
# The demo's base model

A Llama of {millions:.1f} million parameters ({layers} layers, hidden size {hidden}, {vocabulary}
byte-level BPE tokens), trained from scratch to answer customers of Alder Bank, an invented bank.
It exists so that the whole loop, from an escalation to a better adapter, runs on two CPU cores. It
knows one bank's policy and nothing else: do not use it for anything but this demo and tests.

**Taught.** The `base` part of the queries (see `../queries.py`): {known} known topics with their
answers from `../policy.yaml`, {new} new topics as questions only. Requests for a person and
questions that are no matter of the bank are handed over: the answer then starts with `{marker}`,
one ordinary token. Each epoch varies the questions (words dropped, misspelt, greetings added).

**Data.** Banking77 (PolyAI, CC BY 4.0) and the out-of-scope queries of CLINC150 (Larson et al.,
CC BY 3.0), credited in `../data/README.md`; answers and requests for a person are this project's.

**Form.** Weights are float16, to be served as float32. The chat template lowers what the user
wrote, marks what the assistant says for training, and ends each answer with `<|eos|>`. The model
expects the system prompt of `../../assistants/support.yaml`.

**Figures**, greedy decoding, on {cases} queries kept for tuning (`dev`), which it never saw:

| | |
| --- | --- |
{rows}

**Rebuild** with `python deploy/demo/build_base.py`: {epochs} epochs and seed {seed}, \
{minutes:.0f} minutes on one core.
`training.json` has the whole recipe. On one kind of processor the same seed gives the same weights,
to the bit: training runs on one thread, so that sums are always added in one order.
"""


def model_card(
    report: dict[str, Any], *, parameters: int, known: int, new: int, cases: int, marker: str
) -> str:
    """Return the card in Markdown; `report` is what `training.json` holds."""
    recipe = report["recipe"]
    return CARD.format(
        millions=parameters / 1e6,
        layers=recipe["layers"],
        hidden=recipe["hidden"],
        vocabulary=recipe["vocabulary"],
        known=known,
        new=new,
        cases=cases,
        marker=marker,
        rows="\n".join(f"| {name} | {share:.1%} |" for name, share in report["dev"].items()),
        epochs=recipe["epochs"],
        seed=recipe["seed"],
        minutes=report["minutes"],
    )
