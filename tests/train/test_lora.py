"""Adapters: only they are trained, they begin as nothing, and end inside the weights that anybody can load."""

import builtins
from dataclasses import replace
from math import log

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tsotrain.batching import pack
from tsotrain.config import LoraConfig, LossConfig, OptimizerConfig, StageConfig
from tsotrain.errors import TrainError
from tsotrain.estimate import estimate_stage
from tsotrain.learning import train_stage
from tsotrain.lora import add_adapter, merge_adapter
from tsotrain.metrics import read_log
from tsotrain.parallel import processes
from tsotrain.policy import load_policy, load_tokenizer
from tsotrain.tokens import tokenize_pairs

peft = pytest.importorskip("peft", reason="peft is not installed (pip install tso[lora])")

LORA = LoraConfig(rank=4, targets=("q_proj", "down_proj"))
CONFIG = StageConfig(
    loss=LossConfig("dpo"),
    optimizer=OptimizerConfig(learning_rate=1e-2),
    lora=LORA,
    batch_pairs=4,
    epochs=1,
    precision="fp32",
    checkpoint_steps=2,
)


@pytest.fixture
def train(base, rows, tmp_path):
    def run(name, config=CONFIG, say=lambda _: None):
        examples = tokenize_pairs(rows, load_tokenizer(base), config).examples
        with processes() as ours:
            return train_stage(base, examples, tmp_path / name, config=config, ours=ours, say=say)

    return run


def logits(model):
    """Return what the model's own forward pass gives, without packing."""
    model.set_attn_implementation("sdpa")
    with torch.no_grad():
        return model(torch.arange(3, 40)[None]).logits


def stir(policy):
    """Give the adapters some content, as training would."""
    torch.manual_seed(1)
    for name, weight in policy.named_parameters():
        if ".lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)


def test_only_the_adapters_have_a_gradient(policy, examples):
    add_adapter(policy, LORA, seed=1)
    policy(pack(examples), lambda logps, _: -logps.sum())[0].backward()
    trained = {name for name, weight in policy.named_parameters() if weight.grad is not None}

    assert len(trained) == 2 * 2 * 2  # of 2 layers, 2 targets, 2 factors
    assert all(".lora_A." in name or ".lora_B." in name for name in trained)
    assert trained == {name for name, weight in policy.named_parameters() if weight.requires_grad}


def test_an_adapter_begins_as_nothing_and_the_same_for_a_seed(policy, base):
    before, other = logits(policy.model), load_policy(base)
    add_adapter(policy, LORA, seed=1)
    add_adapter(other, LORA, seed=1)
    weights = dict(policy.named_parameters())

    assert torch.equal(logits(policy.model), before)
    assert all(torch.equal(weights[name], weight) for name, weight in other.named_parameters())
    assert weights["model.model.layers.0.self_attn.q_proj.lora_A.default.weight"].abs().max() > 0


def test_a_merged_policy_is_the_unmerged_one(policy):
    add_adapter(policy, LORA, seed=1)
    stir(policy)
    names, unmerged = set(load_names(policy)), logits(policy.model)
    merge_adapter(policy)

    assert torch.allclose(logits(policy.model), unmerged, atol=1e-5)
    assert not [name for name in load_names(policy) if "lora" in name or "base_layer" in name]
    assert len(load_names(policy)) == len(names) - 8


def load_names(policy):
    return [name for name, _ in policy.named_parameters()]


def test_the_first_step_finds_the_policy_equal_to_the_frozen_base(train, tmp_path):
    train("a", replace(CONFIG, lora=replace(LORA, dropout=0.5)))

    assert read_log(tmp_path / "a" / "metrics.jsonl")[0]["loss"] == pytest.approx(log(2), abs=1e-5)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_the_policy_loads_as_it_is_and_the_adapter_onto_its_base(train, base):
    outcome = train("a")
    merged = AutoModelForCausalLM.from_pretrained(outcome.policy, dtype=torch.float32)
    beside = peft.PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), outcome.policy.parent / "adapter"
    )
    trained, before = load_file(outcome.policy / "model.safetensors"), load_file(base / "model.safetensors")

    assert torch.allclose(logits(merged), logits(beside), atol=1e-5)
    assert set(trained) == set(before)
    changed = {name.split(".")[-2] for name in trained if not torch.equal(trained[name], before[name])}
    assert changed == {"q_proj", "down_proj"}


def test_a_killed_stage_goes_on_to_the_same_bytes_with_dropout_too(train):
    config = replace(CONFIG, lora=replace(LORA, dropout=0.3), epochs=2)
    undisturbed = train("a", config)

    def stop_after_step_3(line):
        if line.startswith("step 3/"):
            raise SystemExit

    with pytest.raises(SystemExit):
        train("b", config, say=stop_after_step_3)

    assert train("b", config).policy_sha256 == undisturbed.policy_sha256


def test_activations_that_are_computed_anew_drop_the_same_inputs(train):
    config = replace(CONFIG, lora=replace(LORA, dropout=0.3))
    kept = load_file(train("kept", config).policy / "model.safetensors")
    anew = load_file(train("anew", replace(config, gradient_checkpointing=True)).policy / "model.safetensors")

    assert all(torch.allclose(anew[name], weight, atol=1e-5) for name, weight in kept.items())


@pytest.mark.parametrize("target", ["lm_head", "c_attn"])
def test_a_layer_that_cannot_be_adapted_is_refused_with_those_that_can(policy, target):
    with pytest.raises(TrainError, match=f"no layer '{target}'; the policy's are down_proj, gate_proj, k_proj"):
        add_adapter(policy, LoraConfig(rank=4, targets=("q_proj", target)), seed=1)


def test_without_peft_the_way_out_is_told(policy, monkeypatch):
    usual = builtins.__import__

    def without_peft(name, *rest):
        if name == "peft":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_peft)

    with pytest.raises(TrainError, match=r"needs peft; pip install 'tso\[lora\]'"):
        add_adapter(policy, LORA, seed=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": -1}, "lora.rank = -1: at least 0"),
        ({"alpha": 0}, "lora.alpha = 0: at least 1"),
        ({"dropout": 1.0}, "lora.dropout = 1.0: a share"),
        ({"targets": ()}, "name the linear layers to adapt"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(TrainError, match=message):
        LoraConfig(**settings)


def test_the_estimate_counts_what_is_trained_and_what_is_frozen(policy, base, rows):
    add_adapter(policy, LORA, seed=1)
    n_adapter = sum(weight.numel() for weight in policy.parameters() if weight.requires_grad)
    n_base = sum(weight.numel() for weight in policy.parameters()) - n_adapter
    found = tokenize_pairs(rows, load_tokenizer(base), CONFIG)

    size = estimate_stage(base, found, CONFIG, n_ranks=1, on_cpu=True, in_bf16=False)
    assert size.state_bytes == 4 * n_base + 16 * n_adapter
