"""A tiny Llama in a folder, as an engine's model."""

import pytest
from tiny import Shape, make_model, save

from tsodata.engines.protocol import Request, Sampling


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save(make_model(Shape(hidden=64, heads=2, kv_heads=1)), folder)
    return folder


@pytest.fixture
def ask():
    """Make a request of one turn, or of turns."""

    def make(said, *, seed=None, **sampling):
        turns = said if isinstance(said, tuple) else ({"role": "user", "content": said},)
        return Request(hash(said) if isinstance(said, str) else 0, turns, Sampling(**sampling), seed)

    return make
