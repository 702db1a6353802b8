"""A LoRA adapter with random weights, made with PEFT, and probes measured with transformers."""

import json
import tempfile
from pathlib import Path
from typing import Any

from records.adapters import MANIFEST, adapter_name, base_hash
from records.artifacts import Artifacts
from records.assistant import Assistant

CONVERSATIONS = (
    ("My card has not arrived yet.", "I will look into your card at once."),
    ("How do I change my PIN?", "You can change your PIN at any cash machine."),
)


def publish_random_adapter(
    artifacts: Artifacts, assistant: Assistant, *, seed: int, manifest: dict[str, Any] | None = None
) -> str:
    """Make and publish an adapter that changes the model's answers; returns its name."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    base = assistant.base_model
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(
        r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "o_proj"], init_lora_weights=False
    )
    wrapped = get_peft_model(model, config)
    wrapped.peft_config["default"].base_model_name_or_path = base
    folder = Path(tempfile.mkdtemp(prefix="random-adapter-"))
    wrapped.save_pretrained(folder)
    probes = [
        _probe(wrapped, tokenizer, assistant, asked=asked, answered=answered)
        for asked, answered in CONVERSATIONS
    ]
    content = {"base_model": base, "base_hash": base_hash(base), "probes": probes}
    (folder / MANIFEST).write_text(json.dumps({**content, **(manifest or {})}))
    name = adapter_name(assistant.name, folder)
    artifacts.publish(folder, f"adapters/{name}")
    return name


def _probe(
    model: Any, tokenizer: Any, assistant: Assistant, *, asked: str, answered: str
) -> dict[str, Any]:
    prompt = tokenizer.apply_chat_template(
        [
            {"role": "system", "content": assistant.system_prompt},
            {"role": "user", "content": asked},
        ],
        add_generation_prompt=True,
        tokenize=False,
    )
    start = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    tokens = tokenizer(prompt + answered, add_special_tokens=False)["input_ids"]
    with_adapter = _logprobs(model, tokens)
    with model.disable_adapter():
        without = _logprobs(model, tokens)
    return {
        "token_ids": tokens,
        "start": start,
        "adapter_logprobs": with_adapter[start - 1 :],
        "base_logprobs": without[start - 1 :],
    }


def _logprobs(model: Any, tokens: list[int]) -> list[float]:
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, :-1]
    every = torch.log_softmax(logits.float(), dim=-1)
    return [float(every[i, token]) for i, token in enumerate(tokens[1:])]
