"""A student for tests: a tiny random Llama with the bundled tokenizer, and lessons for it."""

from functools import cache
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tests.tuning.build import BASE, lessons
from tuning.dataset.rows import Row
from tuning.training.base_model import load_tokenizer
from tuning.training.student import Student

SYSTEM = {"role": "system", "content": "You answer customers of Alder Bank."}
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 512,
}


@cache
def tokenizer() -> Any:
    found = load_tokenizer(str(BASE))
    found.pad_token = found.pad_token or found.eos_token
    return found


def base(family: str = "llama", **changes: Any) -> Any:
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer()), **SHAPE, **changes)
    config.initializer_range = 0.2
    return AutoModelForCausalLM.from_config(config)


def student(family: str = "llama", *, dropout: float = 0.0, **changes: Any) -> Student:
    """Its adapter does something already."""
    lora = LoraConfig(
        r=4,
        lora_alpha=8,
        lora_dropout=dropout,
        target_modules="all-linear",
        init_lora_weights=False,
        task_type="CAUSAL_LM",
    )
    return Student(get_peft_model(base(family, **changes), lora), tokenizer())


def rows(count: int, *, wrong: bool = False, system: str = "") -> list[Row]:
    prompt = {**SYSTEM, "content": SYSTEM["content"] + system}
    return [
        Row(
            id=f"ex_{number:05d}",
            source="flag",
            prompt=(prompt, {"role": "user", "content": asked}),
            learn=(False, False),
            answer=answer,
            rejected="I do not know that." if wrong else None,
        )
        for number, (asked, answer) in enumerate(lessons(count))
    ]
