"""A tiny Llama with a byte tokenizer, made in a second, and pairs for it."""

import random

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tsotrain.batching import Example
from tsotrain.policy import Policy, load_policy

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '[' + m['role'] + ']' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}"
)


def make_tokenizer(template=TEMPLATE):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate(["<pad>", "<s>", "</s>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    fast.chat_template = template
    return fast


def make_model(*, vocab_size=259, tied=False, seed=0):
    torch.manual_seed(seed)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    return LlamaForCausalLM(LlamaConfig(**shape, **heads, vocab_size=vocab_size, tie_word_embeddings=tied)).float()


@pytest.fixture
def tiny_model():
    return make_model


@pytest.fixture(scope="session")
def make_tiny_model():
    """Make the tiny model, for fixtures that last longer than a test."""
    return make_model


@pytest.fixture
def tokenizer_with():
    """Make the byte tokenizer with a chat template of one's own."""
    return make_tokenizer


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policies") / "base"
    make_tokenizer().save_pretrained(folder)
    make_model().save_pretrained(folder)
    return folder


@pytest.fixture
def policy(base) -> Policy:
    return load_policy(base)


@pytest.fixture
def examples():
    """Examples of all shapes: responses of one token, of equal lengths, longer and shorter than their prompts."""
    draw = random.Random(7)

    def tokens(n):
        return tuple(draw.randrange(3, 259) for _ in range(n))

    sizes = [(5, 1, 1), (3, 7, 2), (12, 1, 9), (6, 6, 6), (2, 15, 1), (9, 4, 8)]
    return [Example(f"e{i}", tokens(p), (tokens(c), tokens(r))) for i, (p, c, r) in enumerate(sizes)]


def pair_rows():
    draw = random.Random(3)
    return [
        {
            "pair_id": f"pair1-{i:016x}",
            "prompt": [{"role": "user", "content": f"add {i} and {i + 1}"}],
            "chosen": f"{i} + {i + 1} = {2 * i + 1}. " * draw.randint(1, 2),
            "rejected": "it is " + str(draw.randint(0, 9)) * draw.randint(1, 4),
        }
        for i in range(10)
    ]


@pytest.fixture
def rows():
    return pair_rows()


@pytest.fixture(scope="session")
def make_rows():
    """Make the rows, for fixtures that last longer than a test."""
    return pair_rows
