"""Builds the demo's base model from nothing: a tokenizer and a small Llama, on one CPU core.

It learns the answers of the known topics, and new topics only as questions, so that it understands
what customers say without knowing what to tell them. Only the `base` part of the queries is used.
Command: `python deploy/demo/build_base.py [--out DIR] [--seed 0]`.
"""

import argparse
import json
import math
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from deploy.demo.base_card import model_card
from deploy.demo.base_model import (
    BOS,
    EOS,
    Recipe,
    add_dropout,
    answer,
    build_model,
    build_tokenizer,
)
from deploy.demo.base_rows import Dialogue, dialogues
from deploy.demo.queries import (
    ASK_FOR_A_PERSON,
    DEMO,
    OUT_OF_SCOPE,
    Group,
    Part,
    Policy,
    Query,
    load_policy,
    load_queries,
)


class Encoder:
    """Turns dialogues into token ids with a weight for each: how much its prediction counts."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, policy: Policy, recipe: Recipe) -> None:
        self._tokenizer = tokenizer
        self._policy = policy
        self._recipe = recipe
        self._plain: dict[str, list[int]] = {}
        self._rng = random.Random(recipe.seed + 1)

    def _ids(self, text: str) -> list[int]:
        if text not in self._plain:
            self._plain[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._plain[text]

    def _cut_ids(self, text: str) -> list[int]:
        """Encode with some words cut in two, so that unusual pieces are met in training, too."""
        pieces = [""]
        for word in re.findall(r"\s*\S+", text):
            at = 0
            if len(word) > 4 and self._rng.random() < self._recipe.word_cuts:
                at = self._rng.randrange(3, len(word))
            pieces[-1] += word[:at] if at else word
            pieces += [word[at:]] if at else []
        encoded = self._tokenizer(pieces, add_special_tokens=False)["input_ids"]
        return [token for piece in encoded for token in piece]

    def encode(self, dialogue: Dialogue) -> tuple[list[int], list[float]]:
        """Render as the chat template does, cut after `answer_tokens` of the last answer."""
        ids = self._ids(BOS)[:]
        if dialogue.with_system:
            ids += self._ids(f"<|system|>{self._policy.system_prompt}")
        weights = [0.0] * len(ids)
        for question, reply in dialogue.turns:
            user = [*self._ids("<|user|>"), *self._cut_ids(f" {question.lower()}")]
            ids += user
            weights += [0.0] + [self._recipe.question_weight] * (len(user) - 1)
            if reply is not None:
                said = self._ids(f"<|assistant|>{reply}{EOS}")
                ids += said
                weights += [0.0] + [1.0] * (len(said) - 1)
        if dialogue.answer_tokens is not None:
            surplus = max(0, len(said) - 1 - dialogue.answer_tokens)
            ids, weights = ids[: len(ids) - surplus], weights[: len(weights) - surplus]
        return ids, weights


def batches(
    rows: list[tuple[list[int], list[float]]], limit: int, *, rng: random.Random
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of rows of similar length, at most `limit` tokens each, in random order."""
    rng.shuffle(rows)
    rows.sort(key=lambda row: len(row[0]) // 4)
    groups: list[list[tuple[list[int], list[float]]]] = [[]]
    for row in rows:
        if (len(groups[-1]) + 1) * len(row[0]) > limit:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    for group in groups:
        width = max(len(ids) for ids, _ in group)
        # The padding token is 0; causal attention never looks right, so no mask is needed.
        yield (
            torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in group]),
            torch.tensor([weights + [0.0] * (width - len(weights)) for _, weights in group]),
        )


def weighted_loss(
    model: LlamaForCausalLM, ids: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the weighted mean of the tokens' cross entropy."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    wanted = weights[:, 1:] > 0
    logits = model.lm_head(hidden[wanted])
    losses = functional.cross_entropy(logits, ids[:, 1:][wanted], reduction="none")
    counted = weights[:, 1:][wanted]
    loss: torch.Tensor = (losses * counted).sum() / counted.sum()
    return loss


def optimiser(model: LlamaForCausalLM, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW that decays matrices only."""
    decayed = [weight for weight in model.parameters() if weight.ndim > 1]
    free = [weight for weight in model.parameters() if weight.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))


def rate_at(done: float, recipe: Recipe) -> float:
    """Return the learning rate after the share `done` of training: warm-up, then cosine."""
    if done < recipe.warm_up:
        return recipe.learning_rate * done / recipe.warm_up
    rest = (done - recipe.warm_up) / (1 - recipe.warm_up)
    return recipe.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * rest)))


def train(
    model: LlamaForCausalLM,
    encoder: Encoder,
    *,
    queries: Sequence[Query],
    policy: Policy,
    recipe: Recipe,
) -> None:
    """Train in place, telling after each epoch the loss, the rate and the time left."""
    rng = random.Random(recipe.seed)
    optimizer = optimiser(model, recipe)
    began, tokens = time.monotonic(), 0
    hooks = add_dropout(model, recipe.dropout)
    model.train()
    for epoch in range(recipe.epochs):
        rows = [encoder.encode(row) for row in dialogues(queries, policy, rng=rng)]
        made = list(batches(rows, recipe.batch_tokens, rng=rng))
        total = 0.0
        for number, (ids, weights) in enumerate(made):
            done = (epoch + number / len(made)) / recipe.epochs
            for group in optimizer.param_groups:
                group["lr"] = rate_at(done, recipe)
            loss = weighted_loss(model, ids, weights)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            total += loss.item()
            tokens += ids.numel()
        spent = time.monotonic() - began
        left = spent / (epoch + 1) * (recipe.epochs - epoch - 1)
        print(
            f"epoch {epoch + 1}/{recipe.epochs}: loss {total / len(made):.3f}, "
            f"{tokens / spent:,.0f} tokens/s, {spent:.0f} s spent, {left:.0f} s left",
            flush=True,
        )
    for hook in hooks:
        hook.remove()
    model.eval()


def dev_figures(said: Sequence[str], queries: Sequence[Query], policy: Policy) -> dict[str, float]:
    """Return the share of exactly right answers for known and new topics, and of handovers."""
    figures: dict[str, float] = {}
    for group in Group:
        right = [
            text == policy.target(query.topic)
            for text, query in zip(said, queries, strict=True)
            if policy.topics[query.topic].group is group
        ]
        figures[f"{group} exactly right"] = sum(right) / len(right)
    for group in Group:
        for needed in (True, False):
            handed = [
                text.startswith(policy.handoff_marker)
                for text, query in zip(said, queries, strict=True)
                if policy.topics[query.topic].group is group
                and policy.topics[query.topic].handover is needed
            ]
            name = f"{group} handed over, a person {'' if needed else 'not '}needed"
            figures[name] = sum(handed) / len(handed)
    return figures


def mean_tokens(tokenizer: PreTrainedTokenizerFast, policy: Policy) -> float:
    """Return the mean length of a right answer in tokens."""
    lengths = [
        len(tokenizer.encode(policy.target(name), add_special_tokens=False))
        for name in policy.topics
    ]
    return sum(lengths) / len(lengths)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the weights, rounded to float16, and the tokenizer with its chat template."""
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)


def write_report(report: dict[str, Any], folder: Path, *, parameters: int, cases: int) -> None:
    """Write `training.json` and the model card."""
    policy = load_policy()
    groups = [
        topic.group
        for name, topic in policy.topics.items()
        if name not in (ASK_FOR_A_PERSON, OUT_OF_SCOPE)
    ]
    card = model_card(
        report,
        parameters=parameters,
        known=groups.count(Group.KNOWN),
        new=groups.count(Group.NEW),
        cases=cases,
        marker=policy.handoff_marker,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Build the base model and print its figures on `dev`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEMO / "base")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    arguments = parser.parse_args()
    recipe = Recipe(seed=arguments.seed, epochs=arguments.epochs)
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    began = time.monotonic()

    policy, everything = load_policy(), load_queries()
    taught = [query for query in everything if query.part is Part.BASE]
    answers = [policy.target(name) for name, topic in policy.topics.items()]
    questions = [f" {query.text.lower()}" for query in taught]
    questions += [f" {phrase.lower()}" for phrase in policy.person_phrases]
    tokenizer = build_tokenizer(
        [*questions, *answers * 20, *[policy.system_prompt] * 100], recipe, policy.handoff_marker
    )
    model = build_model(tokenizer, recipe)
    print(f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens")
    encoder = Encoder(tokenizer, policy, recipe)
    train(model, encoder, queries=taught, policy=policy, recipe=recipe)

    save(model, tokenizer, arguments.out)
    dev = [query for query in everything if query.part is Part.DEV]
    said = answer(
        model.float(), tokenizer, [query.text for query in dev], system_prompt=policy.system_prompt
    )
    report = {
        "recipe": asdict(recipe),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "tokens_per_answer": round(mean_tokens(tokenizer, policy), 1),
        "dev": dev_figures(said, dev, policy),
    }
    print(json.dumps(report, indent=2))
    write_report(report, arguments.out, parameters=model.num_parameters(), cases=len(dev))


if __name__ == "__main__":
    main()
