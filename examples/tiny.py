"""Tiny models for tests and examples: a byte tokenizer and a Llama of any shape, made in a second, taught in several.

Everything follows from the seeds; weights are the same on one machine with one thread count.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PAD, BEGIN, END = "<pad>", "<s>", "</s>"
N_TOKENS = 259  # these and the bytes
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '[' + m['role'] + ']' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}"
)
_IGNORED = -100  # what transformers' loss leaves out


class Shape(NamedTuple):
    """A Llama's shape; a head has hidden / heads dimensions, of which vLLM on a CPU wants 32."""

    hidden: int = 32
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2


SMALLEST = Shape()


class Lesson(NamedTuple):
    """A prompt of one turn and its right answer."""

    prompt: str
    answer: str


def make_tokenizer(template: str | None = TEMPLATE) -> PreTrainedTokenizerBase:
    """Return a tokenizer of one token per byte, with a chat template."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([PAD, BEGIN, END, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    named = {"pad_token": PAD, "bos_token": BEGIN, "eos_token": END}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
    fast.chat_template = template
    return fast


def make_model(
    shape: Shape = SMALLEST, *, vocab_size: int = N_TOKENS, tied: bool = False, seed: int = 0
) -> PreTrainedModel:
    """Return a Llama with random float32 weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        hidden_size=shape.hidden,
        intermediate_size=2 * shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=vocab_size,
        tie_word_embeddings=tied,
    )
    model: PreTrainedModel = LlamaForCausalLM(config).float()
    return model


def teach(model: Any, lessons: Sequence[Lesson], *, steps: int, seed: int = 0, batch: int = 64) -> float:
    """Train a model of the byte tokenizer to answer, and return the last step's loss in nats a token."""
    tokenizer = make_tokenizer()
    rows = [_row(tokenizer, lesson) for lesson in lessons]
    draw = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    model.train()
    loss = torch.zeros(())
    for _ in range(steps):
        ids_BT, labels_BT = _padded(draw.choices(rows, k=batch))
        loss = model(input_ids=ids_BT, labels=labels_BT, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    model.eval()
    return loss.item()


def save(model: Any, folder: Path, template: str | None = TEMPLATE) -> None:
    """Write a model with the byte tokenizer to a folder, in safetensors."""
    make_tokenizer(template).save_pretrained(folder)
    model.save_pretrained(folder)


def _row(tokenizer: Any, lesson: Lesson) -> tuple[list[int], int]:
    """Return a lesson's tokens, and how many of them are its prompt's."""
    asked: list[dict[str, str]] = [{"role": "user", "content": lesson.prompt}]
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    answered = [*asked, {"role": "assistant", "content": lesson.answer}]
    return tokenizer.apply_chat_template(answered, return_dict=False), len(prompt)


def _padded(rows: Sequence[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids, padded on the right, and labels of the answers' tokens alone."""
    width = max(len(ids) for ids, _ in rows)
    ids_BT = torch.zeros(len(rows), width, dtype=torch.long)
    labels_BT = torch.full((len(rows), width), _IGNORED)
    for place, (ids, n_prompt) in enumerate(rows):
        ids_BT[place, : len(ids)] = torch.tensor(ids)
        labels_BT[place, n_prompt : len(ids)] = torch.tensor(ids[n_prompt:])
    return ids_BT, labels_BT
