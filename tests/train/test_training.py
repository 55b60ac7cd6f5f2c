"""A stage from beginning to end: the same weights however it is cut up, stopped or shared out."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tsotrain.config import LossConfig, OptimizerConfig, StageConfig
from tsotrain.errors import DivergedError, TrainError
from tsotrain.learning import train_stage
from tsotrain.metrics import read_log
from tsotrain.optimizing import learning_rate
from tsotrain.parallel import processes
from tsotrain.policy import load_tokenizer
from tsotrain.tokens import tokenize_pairs
from tsotrain.training import precision_of

CONFIG = StageConfig(
    optimizer=OptimizerConfig(learning_rate=1e-3),
    batch_pairs=4,  # of 10 pairs: the last batch of an epoch has two
    precision="fp32",
    checkpoint_steps=2,
)


@pytest.fixture
def examples(rows, base):
    return tokenize_pairs(rows, load_tokenizer(base), CONFIG).examples


@pytest.fixture
def train(base, examples, tmp_path):
    def run(name, config=CONFIG, say=lambda _: None):
        with processes() as ours:
            return train_stage(base, examples, tmp_path / name, config=config, ours=ours, say=say)

    return run


def weights(outcome):
    return load_file(outcome.policy / "model.safetensors")


def furthest(ours, theirs):
    return max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)


@pytest.mark.parametrize(
    ("loss", "expected"), [("dual_clip", 1.386294), ("dpo", 0.693147), ("cdpo", 0.693147), ("ipo", 6.25)]
)
def test_the_first_step_finds_the_policy_equal_to_its_reference(train, tmp_path, loss, expected):
    train("a", replace(CONFIG, loss=LossConfig(name=loss), epochs=1))
    first = read_log(tmp_path / "a" / "metrics.jsonl")[0]

    assert first["loss"] == pytest.approx(expected, abs=1e-4)
    assert first["chosen_reward"] == pytest.approx(0, abs=1e-5)


def test_a_stage_learns_its_pairs_and_its_policy_loads_as_it_is(train):
    outcome = train("a", replace(CONFIG, epochs=4))

    assert outcome.n_steps == 12
    assert outcome.last["accuracy"] == 1
    assert outcome.last["chosen_reward"] > 0 > outcome.last["rejected_reward"]
    assert AutoModelForCausalLM.from_pretrained(outcome.policy).dtype.is_floating_point
    assert load_tokenizer(outcome.policy).chat_template


def test_accumulated_batches_have_the_gradient_of_whole_ones(train):
    whole = weights(train("whole", replace(CONFIG, micro_tokens=100_000)))

    assert furthest(weights(train("cut", replace(CONFIG, micro_tokens=1))), whole) < 1e-5


def test_every_pair_tells_what_each_epoch_did_to_it(train, tmp_path, examples):
    train("a")
    lines = read_log(tmp_path / "a" / "feedback.jsonl")

    assert sorted((line["epoch"], line["pair_id"]) for line in lines) == sorted(
        (epoch, example.example_id) for epoch in (1, 2) for example in examples
    )


def test_a_killed_stage_goes_on_to_the_same_bytes(train, tmp_path):
    undisturbed = train("a")

    def stop_after_step_3(line):
        if line.startswith("step 3/"):
            raise SystemExit  # no handler runs, as with SIGKILL: the newest checkpoint is that of step 2

    with pytest.raises(SystemExit):
        train("b", say=stop_after_step_3)
    said = []
    resumed = train("b", say=said.append)

    assert "going on after step 2 of 6" in said
    assert resumed.policy_sha256 == undisturbed.policy_sha256
    assert [line["step"] for line in read_log(tmp_path / "b" / "metrics.jsonl")] == [1, 2, 3, 4, 5, 6]


def test_the_reference_is_scored_once_for_all_epochs_and_reruns(train):
    said = []
    train("a", say=said.append)
    train("a", say=said.append)

    assert sum(line.startswith("scoring") for line in said) == 1


def test_a_stage_that_is_done_is_not_trained_again(train):
    first, said = train("a"), []

    assert train("a", say=said.append).policy_sha256 == first.policy_sha256
    assert not [line for line in said if line.startswith("step")]


def test_a_stage_that_diverges_stops_and_names_its_last_checkpoint(train):
    config = replace(CONFIG, optimizer=OptimizerConfig(learning_rate=1e30, warmup=0), checkpoint_steps=1, epochs=4)

    with pytest.raises(DivergedError, match=r"training has diverged; (the last good checkpoint is|there is no)"):
        train("a", config)


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True}, torch.float32),
    ],
)
def test_bf16_is_taken_where_the_processor_computes_in_it(monkeypatch, capabilities, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)

    assert precision_of(StageConfig(), torch.device("cpu")) == dtype
    assert precision_of(StageConfig(precision="fp32"), torch.device("cpu")) == torch.float32


def test_the_learning_rate_warms_up_and_falls_to_zero():
    config = OptimizerConfig(learning_rate=1.0, warmup=0.2)

    assert [learning_rate(config, step, 10) for step in (0, 1, 2, 6, 10)] == pytest.approx([0.5, 1, 1, 0.5, 0])


def test_a_tokenizer_of_another_model_is_refused(tiny_model, examples, tmp_path):
    tiny_model(vocab_size=50).save_pretrained(tmp_path / "small")
    with processes() as ours, pytest.raises(TrainError, match="outside the policy's vocabulary of 50"):
        train_stage(tmp_path / "small", examples, tmp_path / "a", config=CONFIG, ours=ours, say=lambda _: None)
