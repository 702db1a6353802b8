"""What a base model offers to training: its tokenizer, size, and the layers LoRA may target.

Read from the configuration alone; no weights are loaded.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from records.errors import AdapterUnservable, ConfigurationError


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a base model."""

    kind: str
    parameters: int
    hidden_size: int
    layers: int
    vocabulary: int
    linear: dict[str, tuple[tuple[int, int], ...]]
    """Input and output widths of each linear layer, by the last part of its name."""

    def targets(self, wanted: Literal["all-linear"] | Sequence[str]) -> tuple[str, ...]:
        """The names that LoRA is put on.

        Raises:
            AdapterUnservable: a name that no linear layer has, or the output head.
        """
        names = sorted(self.linear) if isinstance(wanted, str) else list(wanted)
        unknown = [name for name in names if name.rpartition(".")[2] not in self.linear]
        if unknown or not names:
            raise AdapterUnservable(
                f"LoRA cannot target {', '.join(unknown) or 'nothing'} in {self.kind}; its linear "
                f"layers are {', '.join(sorted(self.linear))} (the embeddings and the output head "
                "are left as they are)."
            )
        return tuple(names)

    def lora_parameters(self, targets: Sequence[str], *, rank: int) -> int:
        """How many numbers an adapter trains."""
        return sum(
            rank * (width_in + width_out)
            for name in targets
            for width_in, width_out in self.linear[name.rpartition(".")[2]]
        )


@functools.cache
def architecture(base_model: str) -> Architecture:
    """Read a base model's architecture, building it without memory for its weights.

    Raises:
        ConfigurationError: no such model on this machine, or not a causal language model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(base_model)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(_absent(base_model, error)) from error
    head = model.get_output_embeddings()
    linear: dict[str, list[tuple[int, int]]] = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            widths = (module.in_features, module.out_features)
            linear.setdefault(name.rpartition(".")[2], []).append(widths)
    text = config.get_text_config()
    return Architecture(
        kind=str(config.model_type),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        hidden_size=text.hidden_size,
        layers=text.num_hidden_layers,
        vocabulary=text.vocab_size,
        linear={name: tuple(widths) for name, widths in linear.items()},
    )


def load_model(base_model: str, *, dtype: Any, quantised: bool = False) -> Any:
    """The base model's weights on the accelerator; `quantised`: in 4 bits (NF4), on CUDA only.

    Raises:
        ConfigurationError: its files are not on this machine.
    """
    from transformers import AutoModelForCausalLM

    from tuning.training import hardware

    device = hardware.device()
    options: dict[str, Any] = {"dtype": dtype}
    if quantised:
        options |= {"quantization_config": _four_bits(dtype), "device_map": {"": device}}
    try:
        model = AutoModelForCausalLM.from_pretrained(base_model, **options)
    except OSError as error:
        raise ConfigurationError(_absent(base_model, error)) from error
    return model if quantised else model.to(device)


def _four_bits(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def load_tokenizer(base_model: str) -> Any:
    """The base model's tokenizer.

    Raises:
        ConfigurationError: absent, or without a chat template or an end-of-turn token.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base_model)
    except (OSError, ValueError) as error:
        raise ConfigurationError(_absent(base_model, error)) from error
    if not tokenizer.chat_template or tokenizer.eos_token_id is None:
        raise ConfigurationError(
            f"{base_model} has no chat template or no end-of-turn token: take an instruct model."
        )
    return tokenizer


def _absent(base_model: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"The base model {base_model} cannot be read on this machine ({reason}). Name a folder in "
        "the assistant's YAML, or download it once with HF_HUB_OFFLINE=0."
    )
