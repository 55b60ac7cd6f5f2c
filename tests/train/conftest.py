"""The tiny Llama of examples/tiny.py as a policy, and pairs for it."""

import random

import pytest
from tiny import make_model, make_tokenizer, save

from tsotrain.batching import Example
from tsotrain.policy import Policy, load_policy


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
    save(make_model(), folder)
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
