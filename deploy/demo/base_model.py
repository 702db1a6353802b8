"""The untrained base model: its sizes, tokenizer and chat template, and how it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|eos|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")

# What customers write is lowered here, in the template, so that casing costs the small model
# nothing and trainer and engine agree on it. A turn of the assistant ends with the EOS token.
CHAT_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'assistant' %}"
    "{{- '<|assistant|>' }}"
    "{%- generation %}{{- message['content'] + eos_token }}{%- endgeneration %}"
    "{%- elif message['role'] == 'user' %}"
    "{{- '<|user|> ' + (message['content'] | trim | lower) }}"
    "{%- else %}"
    "{{- '<|system|>' + (message['content'] | trim) }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, besides the data."""

    seed: int = 0
    vocabulary: int = 2048
    hidden: int = 256
    intermediate: int = 640
    layers: int = 4
    head_dim: int = 64
    dropout: float = 0.1
    word_cuts: float = 0.12
    """Share of words that are cut in two before encoding: BPE dropout, from our own seed."""
    epochs: int = 18
    batch_tokens: int = 2048
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.1
    warm_up: float = 0.08
    question_weight: float = 0.2


def build_tokenizer(texts: Sequence[str], recipe: Recipe, marker: str) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on `texts`; the marker is one ordinary token, shown to readers."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary - 1,
        special_tokens=[PAD, BOS, EOS, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(marker, special=False, normalized=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        additional_special_tokens=list(ROLES),
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> LlamaForCausalLM:
    """Return the untrained model."""
    heads = recipe.hidden // recipe.head_dim
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=recipe.head_dim,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def add_dropout(model: LlamaForCausalLM, rate: float) -> list[Any]:
    """Drop parts of the embeddings and of each block's output while training; Llama has none."""
    places = [model.model.embed_tokens]
    for layer in model.model.layers:
        places += [layer.self_attn.o_proj, layer.mlp.down_proj]
    return [
        place.register_forward_hook(
            lambda module, _inputs, output: functional.dropout(output, rate, module.training)
        )
        for place in places
    ]


def answer(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    system_prompt: str,
) -> list[str]:
    """Return the greedy answers to single questions, rendered with the chat template."""
    said: list[str] = []
    for start in range(0, len(texts), 64):
        chats = [
            [{"role": "system", "content": system_prompt}, {"role": "user", "content": text}]
            for text in texts[start : start + 64]
        ]
        prompts = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, return_tensors="pt", return_dict=True, padding=True
        )
        with torch.inference_mode():
            out = model.generate(**prompts, max_new_tokens=64, do_sample=False)
        new = out[:, prompts["input_ids"].shape[1] :]
        said += [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]
    return said
