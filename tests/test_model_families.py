"""Big models by name are the same code paths: their architectures, with random weights.

Only the configuration of each family is made (small); the engine draws the weights itself (vLLM's
dummy load format), so no weights of theirs are needed.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from records.adapters import Limits, check_config
from records.assistant import EngineOptions
from records.engine import Engine
from records.errors import AdapterNotApplied
from records.messages import Message, Role, to_chat
from records.proof import prove
from tests.conftest import free_port
from tests.real_engine import BUNDLED_BASE, start_engine
from tuning.training.base_model import architecture

ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
MLP = {"gate_proj", "up_proj", "down_proj"}
SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
}


def configuration(family: str, folder: Path) -> Path:
    """A base model's folder without weights: configuration and tokenizer."""
    from transformers import AutoConfig, AutoTokenizer

    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(BUNDLED_BASE / name, folder / name)
    words = len(AutoTokenizer.from_pretrained(folder))
    wanted = {**SHAPE, "vocab_size": words}
    if family != "qwen2":
        wanted["head_dim"] = 32
    config = AutoConfig.for_model(family, **wanted)
    names = {"qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM", "llama": "LlamaForCausalLM"}
    config.architectures = [names[family]]
    config.save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen3", "qwen2", "llama"])
def test_the_layers_that_lora_may_target_are_found_from_the_configuration(
    family: str, tmp_path: Path
) -> None:
    base = configuration(family, tmp_path / "base")
    targets = architecture(str(base)).targets("all-linear")
    assert {name.rpartition(".")[2] for name in targets} == ATTENTION | MLP


@pytest.mark.alone
async def test_qwen3_is_served_from_its_configuration_alone(tmp_path: Path) -> None:
    base = configuration("qwen3", tmp_path / "qwen3")
    options = EngineOptions(
        max_model_len=256, dtype="float32", load_format="dummy", kv_cache_memory="64M"
    )
    running = start_engine(tmp_path, port=free_port(), base=base, options=options)
    try:
        adapter = tmp_path / "support-qwen3"
        random_adapter(random_model(running.base), adapter)
        check_config(json.loads((adapter / "adapter_config.json").read_text()), limits=Limits(16))
        async with Engine(running.url) as engine:
            await engine.load(adapter.name, adapter)
            chat = to_chat(
                [Message(Role.CUSTOMER, "Where is my card?")],
                system_prompt=running.assistant.system_prompt,
            )
            body = {"model": adapter.name, "messages": chat, "max_tokens": 4, "min_tokens": 4}
            answer = await engine.chat(body)
    finally:
        running.stop()
    assert answer["usage"]["completion_tokens"] == 4


@pytest.mark.alone
async def test_an_adapter_on_every_layer_of_qwen3_is_proved_to_be_on(tmp_path: Path) -> None:
    base = configuration("qwen3", tmp_path / "qwen3")
    random_model(base).save_pretrained(base)
    options = EngineOptions(max_model_len=256, dtype="float32", kv_cache_memory="64M")
    running = start_engine(tmp_path, port=free_port(), base=base, options=options)
    try:
        probe = random_adapter(random_model(running.base), tmp_path / "support-qwen3")
        async with Engine(running.url) as engine:
            await engine.load("support-qwen3", tmp_path / "support-qwen3")
            proof = await prove(engine, "support-qwen3", {"probes": [probe]})
            with pytest.raises(AdapterNotApplied):
                await prove(engine, "support-base", {"probes": [probe]})
    finally:
        running.stop()
    assert proof.to_adapter < 1e-3
    assert proof.to_base > 0.05


def random_model(base: Path) -> Any:
    """The architecture with random weights, large enough for an adapter's effect to be seen."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(base)
    config.initializer_range = 0.2
    return AutoModelForCausalLM.from_config(config)


def random_adapter(model: Any, folder: Path) -> dict[str, Any]:
    """Save an adapter on every layer that LoRA may target; returns a probe of its effect."""
    import torch
    from peft import LoraConfig, get_peft_model

    targets = list(architecture(model.config._name_or_path).targets("all-linear"))
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=targets, init_lora_weights=False)
    wrapped = get_peft_model(model, lora).eval()
    wrapped.save_pretrained(folder)
    tokens = list(range(10, 40))

    @torch.no_grad()
    def logprobs() -> list[float]:
        every = wrapped(torch.tensor([tokens])).logits[0, :-1].log_softmax(-1)
        return [float(every[i, token]) for i, token in enumerate(tokens[1:])]

    adapted = logprobs()
    with wrapped.disable_adapter():
        bare = logprobs()
    return {
        "token_ids": tokens,
        "start": 1,
        "adapter_logprobs": adapted,
        "base_logprobs": bare,
    }
