"""What both trainers train: a Llama of random weights, a tokenizer of numbered words, and pairs of random words.

Prompts and responses have lognormal lengths, as answers of people and models have; a long prompt is an article with a
question. Both trainers come to the same token ids.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

N_STEPS = 5  # over all pairs; the first, which makes buffers and kernels, is not counted
N_SPECIAL = 3  # <pad>, <s>, </s>
SIGMA = 0.6
MEDIAN_RESPONSE = 128


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama's shape."""

    title: str
    hidden: int
    layers: int
    vocabulary: int

    @property
    def body_parameters(self) -> int:
        """Return the parameters that every token runs through: attention and feed-forward."""
        return self.layers * (4 * self.hidden**2 + 3 * self.hidden * self.inner)

    @property
    def head_parameters(self) -> int:
        """Return the parameters that a predicted token runs through besides."""
        return self.hidden * self.vocabulary

    @property
    def inner(self) -> int:
        """Return the width of the feed-forward part, a multiple of 16 near 8/3 of the hidden size."""
        return round(self.hidden * 8 / 3 / 16) * 16


@dataclass(frozen=True, slots=True)
class Length:
    """How long prompts are, and how many pairs there are of it."""

    title: str
    median_prompt: int
    n_pairs: int


SHAPES = {
    "a": Shape("A: large vocabulary, small body", hidden=256, layers=6, vocabulary=32_000),
    "b": Shape("B: small vocabulary, larger body", hidden=512, layers=8, vocabulary=8_192),
}
LENGTHS = {"short": Length("short prompts", 128, 8), "long": Length("long prompts", 512, 4)}


def write(folder: Path, shape: Shape, length: Length) -> None:
    """Write `policy/` and `pairs.json` to a folder, the same at every call."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(43)
    config = LlamaConfig(
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.hidden // 64,
        vocab_size=shape.vocabulary,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder / "policy")
    _tokenizer(shape.vocabulary).save_pretrained(folder / "policy")
    draw = random.Random(43)  # noqa: S311  material, no secret

    def words(median: int) -> list[int]:
        n_words = max(2, round(median * draw.lognormvariate(0, SIGMA)))
        return [draw.randrange(N_SPECIAL, shape.vocabulary) for _ in range(n_words)]

    pairs = [
        {"prompt": words(length.median_prompt), "chosen": words(MEDIAN_RESPONSE), "rejected": words(MEDIAN_RESPONSE)}
        for _ in range(length.n_pairs)
    ]
    (folder / "pairs.json").write_text(json.dumps(pairs), encoding="utf-8")


def text(words: list[int]) -> str:
    """Return words as the tokenizer reads them back."""
    return " ".join(f"w{word}" for word in words)


def _tokenizer(vocabulary: int) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<pad>", "<s>", "</s>", *(f"w{number}" for number in range(N_SPECIAL, vocabulary))]
    made = Tokenizer(models.WordLevel({name: place for place, name in enumerate(names)}, unk_token="<pad>"))  # noqa: S106
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>")  # noqa: S106
    fast.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return fast
