"""The page of the trainer's benchmark: what a stage costs, and by how much."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def material(tmp_path):
    """Return a folder of one pair: a prompt of 3 words, responses of 4 and 2, each with its end token."""
    for shape in ("a", "b"):
        for length in ("short", "long"):
            folder = tmp_path / f"{shape}-{length}"
            folder.mkdir()
            pair = {"prompt": [3, 4, 5], "chosen": [6, 7, 8, 9], "rejected": [10, 11]}
            (folder / "pairs.json").write_text(json.dumps([pair]))
    return tmp_path


def figures(reference_s, step_s, peak_mb):
    return {"reference_s": reference_s, "step_s": step_s, "peak_mb": peak_mb, "gradient_norm": 17.6, "n_runs": 3}


def test_a_stage_is_one_pass_of_the_reference_and_two_epochs():
    from benchmarks.train import page

    assert page.stage_s(figures(1.0, 2.0, 1)) == 5.0


def test_the_arithmetic_needed_counts_a_prompt_once_and_scores_responses_alone(material):
    from benchmarks.train import page
    from benchmarks.train.material import Shape

    shape = Shape("", hidden=48, layers=1, vocabulary=10)  # inner 128: 4*48*48 + 3*48*128 = 27,648; head 480
    # run over 3 + 4 + 2 tokens, score 5 + 3; forward once for the reference, and three times its cost in each epoch
    forward = 2 * (27_648 * 9 + 480 * 8) / 1e9

    assert page.needed_gflop(material / "a-short", shape) == pytest.approx(7 * forward)


def test_the_page_tells_ratios_of_stages_and_of_memory(material, monkeypatch):
    from benchmarks.train import page

    monkeypatch.setattr(page.metadata, "version", lambda _: "1")
    found = {
        "matmul float32": {"gflop_per_s": 100.0},
        "tso auto a short": figures(1.0, 2.0, 100.0),  # a stage in 5 s
        "trl bf16 a short": figures(5.0, 20.0, 400.0),  # in 45 s
    }
    text = page.write(found, material, n_threads=2)

    # 14 tokens an epoch: 3 + 5 and 3 + 3
    assert "| TRL, bf16, reference precomputed, no checkpointing | 1 | 1 | 9.0x | 400 | 0.25 | 0% | 17.60 | 3 |" in text
    assert "| tso (its defaults) | 6 | 7 | 1.0x | 100 | 1.00 |" in text
    assert "long prompts" not in text


def test_both_trainers_come_to_the_same_tokens(tmp_path):
    from transformers import AutoTokenizer

    from benchmarks.train import material, with_trl, with_tso

    shape, length = material.Shape("", hidden=64, layers=1, vocabulary=50), material.Length("", 5, 2)
    material.write(tmp_path, shape, length)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "policy")
    rows = json.loads((tmp_path / "pairs.json").read_text())
    for example, pair in zip(with_tso.examples(tmp_path), rows, strict=True):
        texts = with_trl._texts(pair)
        for side, response in zip(("chosen", "rejected"), example.responses, strict=True):
            ids = tokenizer(f"{texts['prompt']}{texts[side]}</s>")["input_ids"]
            assert tuple(ids) == example.prompt + response
