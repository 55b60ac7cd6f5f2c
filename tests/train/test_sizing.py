"""Large shapes: planned by formula, and sharded for real where weights have shapes and no bytes."""

from pathlib import Path

import pytest
import torch
from torch import distributed
from torch.distributed.tensor import DTensor
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import LlamaConfig

from tsotrain import sizing
from tsotrain.config import ShardingConfig, StageConfig
from tsotrain.estimate import STATE_BYTES, count_parameters, estimate_shape
from tsotrain.loading import meta_policy
from tsotrain.parallel import Processes, decoder_layers, shard

N_RANKS = 64


@pytest.fixture
def one_of_64():
    distributed.init_process_group("fake", rank=0, world_size=N_RANKS, store=FakeStore())
    yield Processes(0, N_RANKS, torch.device("cpu"))
    distributed.destroy_process_group()


def test_a_66b_llama_is_sharded_over_64_processes_as_its_estimate_says(one_of_64):
    shape = sizing.shape("66B")
    policy = shard(
        meta_policy(LlamaConfig(**shape)), one_of_64, precision=torch.bfloat16, config=ShardingConfig(cpu_offload=True)
    )
    weights = list(policy.parameters())
    n_bytes = sum(weight.to_local().numel() * weight.element_size() for weight in weights)
    estimate = sizing.size("66B", N_RANKS)

    assert all(isinstance(weight, DTensor) and weight.is_meta and weight.dtype == torch.float32 for weight in weights)
    assert len(decoder_layers(policy.model)) == 80
    assert sum(weight.numel() for weight in weights) == estimate.n_parameters
    assert n_bytes * STATE_BYTES // 4 == estimate.state_bytes  # 4 bytes a weight, and as many for each of three others


@pytest.mark.parametrize("is_tied", [False, True])
def test_the_bodys_share_is_planned_as_a_policy_has_it(is_tied):
    shape = {**TINY, "vocab_size": 1000, "tie_word_embeddings": is_tied}

    planned = count_parameters(shape).body_share

    assert planned == pytest.approx(meta_policy(LlamaConfig(**shape)).body_share, abs=1e-3)  # less the last norm
    assert planned == pytest.approx(3 * 592 / (3 * 592 + (1 if is_tied else 2) * 8000), abs=1e-3)


# hidden 8, feed-forward 16, 2 heads of 4, one of keys, vocabulary 10, 3 layers:
# a layer has 2*8*8 + 2*8*4 + 3*8*16 + 2*8 = 592, the root 2*10*8 + 8 = 168
TINY = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 10,
}


def estimated(n_ranks=4, *, checkpointing=False, kept_keys=0, **sharding):
    config = StageConfig(gradient_checkpointing=checkpointing, sharding=ShardingConfig(**sharding))
    tokens = {"n_pairs": 600, "n_tokens": 5000, "widest": 100, "kept_keys": kept_keys}
    return estimate_shape(TINY, config, **tokens, n_ranks=n_ranks, in_bf16=True)


def test_parameters_are_counted_by_layer_and_beside_the_layers():
    assert count_parameters(TINY) == (592, 168, 3)
    assert estimated().n_parameters == 3 * 592 + 168


@pytest.mark.parametrize(
    ("sharding", "gathered"),
    [
        ({}, 2 * (168 + 2 * 592) + 6 * 592),
        ({"reshard_after_forward": False}, 2 * (168 + 3 * 592) + 6 * 592),
        ({"defer_reduction": True}, 2 * (168 + 2 * 592) + 4 * 1944),
    ],
)
def test_what_is_gathered_at_once_follows_the_settings(sharding, gathered):
    assert estimated(**sharding).gathered_bytes == gathered
    assert estimated(1, **sharding).gathered_bytes == 0


def test_memory_is_divided_among_processes_or_waits_on_the_cpu():
    assert estimated().state_bytes == 16 * 1944 // 4
    assert estimated().total_bytes - estimated(cpu_offload=True).total_bytes == 16 * 1944 // 4


def test_checkpointed_activations_are_a_layers_and_the_inputs_of_all():
    assert estimated().activation_bytes == 100 * 34 * 8 * 3
    assert estimated(checkpointing=True).activation_bytes == 100 * (2 * 8 * 3 + 34 * 8)


def test_kept_shares_are_of_every_head_in_float32_one_layer_of_them_where_they_are_computed_anew():
    kept = 100 * 4 * 2 * 50

    assert estimated(kept_keys=50).activation_bytes == estimated().activation_bytes + 3 * kept
    assert (
        estimated(kept_keys=50, checkpointing=True).activation_bytes
        == estimated(checkpointing=True).activation_bytes + kept
    )


def test_the_fewest_nodes_hold_the_stage_and_half_of_them_do_not():
    nodes = sizing.fewest_nodes("66B")
    fits = [sizing.size("66B", n * 8).total_bytes <= sizing.USABLE * sizing.DEVICE_BYTES for n in (nodes // 2, nodes)]

    assert fits == [False, True]


def test_the_page_holds_the_table_as_it_is_computed():
    page = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")

    assert "\n".join(sizing.table()) in page
