"""A tiny Llama in a folder, as an engine's model."""

import sys
import time
from pathlib import Path

import pytest
import torch
from tiny import Shape, make_model, save

from tsodata.engines.protocol import Request, Sampling


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Keep to one thread: so small a model gains nothing from two, and loses a lot where they wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


@pytest.fixture
def stand_in(monkeypatch):
    """Put something under vLLM's name where other interpreters find it, and return one of them."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "stand_in"))
    return sys.executable


@pytest.fixture
def is_gone():
    """Wait some seconds for a process to be gone."""

    def look(pid):
        for _ in range(150):
            if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
                return True
            time.sleep(0.1)
        return False

    return look
