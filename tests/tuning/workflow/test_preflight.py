"""Before training: what could not be served, or would not fit, is refused with a sentence."""

from pathlib import Path
from typing import Any

import pytest

from records.adapters import Limits
from records.assistant import Assistant, EngineOptions
from records.engine import Engine
from records.errors import AdapterUnservable, ConfigurationError, StorageFull
from tests.tuning.build import BASE
from tests.tuning.engine import ProvingEngine
from tuning.training.base_model import Architecture, architecture, load_tokenizer
from tuning.training.lora import lora_config
from tuning.training.recipe import Recipe
from tuning.workflow import preflight

SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
LINEAR = ("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj")
LIMITS = Limits(max_rank=16)


@pytest.fixture(params=["LlamaConfig", "Qwen2Config", "Qwen3Config"])
def shape(request: pytest.FixtureRequest, tmp_path: Path) -> Architecture:
    import transformers  # takes seconds

    getattr(transformers, request.param)(**SMALL).save_pretrained(tmp_path)
    return architecture(str(tmp_path))


def test_all_linear_layers_can_be_targeted_and_the_head_cannot(shape: Architecture) -> None:
    assert shape.targets("all-linear") == LINEAR
    assert shape.targets(["q_proj"]) == ("q_proj",)
    for name in ("lm_head", "embed_tokens", "c_attn"):
        with pytest.raises(AdapterUnservable, match=rf"{name}.*linear layers are down_proj"):
            shape.targets([name])


def test_trained_parameters_are_counted_as_peft_makes_them() -> None:
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    recipe = Recipe(rank=4)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(str(BASE)), lora_config(recipe))
    trained, _ = model.get_nb_trainable_parameters()
    shape = architecture(str(BASE))
    assert shape.lora_parameters(shape.targets("all-linear"), rank=4) == trained


def test_a_rank_above_the_engines_is_refused(assistant: Assistant) -> None:
    assert preflight.check_rank(Recipe(rank=16), assistant) == LIMITS
    with pytest.raises(AdapterUnservable, match="rank 32 is above the engine's max_lora_rank 16"):
        preflight.check_rank(Recipe(rank=32), assistant)


def test_an_engine_limit_that_vllm_does_not_take_is_refused(assistant: Assistant) -> None:
    odd = assistant.model_copy(update={"engine": EngineOptions(max_lora_rank=24)})
    with pytest.raises(ConfigurationError, match="max_lora_rank 24"):
        preflight.check_rank(Recipe(), odd)


def test_what_our_recipe_makes_of_peft_can_be_served() -> None:
    preflight.check_features(lora_config(Recipe()).to_dict(), limits=LIMITS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
        ({"init_lora_weights": "pissa"}, "pissa"),
        ({"rank_pattern": {"q_proj": 64}}, "Rank 64"),
    ],
)
def test_peft_features_that_the_engine_cannot_serve_are_refused(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(AdapterUnservable, match=words):
        preflight.check_features({**lora_config(Recipe()).to_dict(), **change}, limits=LIMITS)


PROMPTS = [[{"role": "user", "content": "Where is my card?"}]]


async def test_tokens_of_trainer_and_engine_agree() -> None:
    tokenizer = load_tokenizer(str(BASE))
    async with ProvingEngine(base_model=str(BASE)) as stub, Engine(stub.url) as engine:
        await preflight.check_tokens(engine, tokenizer, PROMPTS, model="support-base")


async def test_another_chat_template_in_the_engine_is_refused() -> None:
    tokenizer = load_tokenizer(str(BASE))
    tokenizer.chat_template = "{{ messages[0].content }}"
    async with ProvingEngine(base_model=str(BASE)) as stub, Engine(stub.url) as engine:
        with pytest.raises(ConfigurationError, match="different tokens"):
            await preflight.check_tokens(engine, tokenizer, PROMPTS, model="support-base")


def test_examples_that_are_too_long_are_counted_and_refused_only_if_all_are() -> None:
    assert preflight.check_lengths([10, 20, 30], longest=20) == 1
    with pytest.raises(ConfigurationError, match="No example fits 5 tokens"):
        preflight.check_lengths([10, 20], longest=5)


def test_too_little_disk_or_memory_is_refused(tmp_path: Path) -> None:
    shape = architecture(str(BASE))
    needed = preflight.estimate(Recipe(), shape, longest=64, gpu=False)
    preflight.check_disk(tmp_path, needed_mb=needed.disk_mb)
    with pytest.raises(StorageFull, match="MB are free"):
        preflight.check_disk(tmp_path, needed_mb=10**9)
    with pytest.raises(ConfigurationError, match="one example at a time"):
        preflight.check_memory(needed, available_mb=1)
    with pytest.raises(ConfigurationError, match="UNDERSTUDY_TRAINER_MEMORY_SHARE"):
        preflight.check_memory(needed, available_mb=1, gpu=True)
    more = preflight.estimate(Recipe(batch_size=64), shape, longest=64, gpu=False)
    assert more.memory_mb > needed.memory_mb


def test_a_base_model_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read on this machine"):
        architecture(str(tmp_path / "nothing"))
    with pytest.raises(ConfigurationError, match="cannot be read on this machine"):
        load_tokenizer("nobody/no-such-model")
