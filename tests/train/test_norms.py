"""Norms of our own against those of transformers, in what they give and in their gradients."""

import copy

import pytest
import torch
from transformers import Gemma3TextConfig, LlamaConfig, Olmo2Config, Qwen3Config
from transformers.models.auto import AutoModelForCausalLM
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm
from transformers.models.gemma3n.modeling_gemma3n import Gemma3nRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from tsotrain import norms

EPSILON = 1e-2  # large enough to be missed
SHAPE = {
    "vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "pad_token_id": 0,
}  # fmt: skip


def a_norm(dtype=torch.float32):
    torch.manual_seed(3)
    norm = LlamaRMSNorm(24, eps=EPSILON)
    norm.weight.data.uniform_(-1, 2)
    return norm.to(dtype)


def ours(norm, hidden, dtype=torch.float32):
    return norms.rms_norm(hidden, norm.weight, epsilon=EPSILON, dtype=dtype)


def with_gradients(made, norm, hidden):
    torch.manual_seed(4)
    grads = torch.autograd.grad(made, [hidden, norm.weight], torch.randn(made.shape, dtype=made.dtype))
    return [made.detach(), *grads]


@pytest.mark.parametrize("shape", [(24,), (7, 24), (2, 5, 24), (2, 3, 5, 24)])
def test_a_norm_and_its_gradients_are_those_of_transformers(shape):
    norm, hidden = a_norm(), torch.randn(shape).requires_grad_()

    made = with_gradients(ours(norm, hidden), norm, hidden)
    expected = with_gradients(norm(hidden), norm, hidden)

    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_rows_need_not_lie_together():
    norm, hidden = a_norm(), torch.randn(4, 24, 3).requires_grad_()

    made = with_gradients(ours(norm, hidden.transpose(1, 2)), norm, hidden)
    expected = with_gradients(norm(hidden.transpose(1, 2)), norm, hidden)

    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_row_of_zeros_has_finite_gradients():
    norm, hidden = a_norm(), torch.zeros(2, 24).requires_grad_()

    normed, grad_hidden, grad_weight = with_gradients(ours(norm, hidden), norm, hidden)

    assert not normed.any()
    assert not grad_weight.any()
    assert grad_hidden.isfinite().all()
    assert grad_hidden.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bf16_is_computed_in_float32_and_cast_once(dtype):
    # as FSDP has it with mixed precision: states and weight in bf16
    norm, hidden = a_norm(torch.bfloat16), torch.randn(6, 24).bfloat16().requires_grad_()
    wide, states = a_norm(torch.bfloat16).float(), hidden.detach().float().requires_grad_()

    made = with_gradients(ours(norm, hidden, dtype), norm, hidden)
    expected = with_gradients(wide(states).to(dtype), wide, states)

    assert [one.dtype for one in made] == [dtype, torch.bfloat16, torch.bfloat16]
    torch.testing.assert_close(made[0], expected[0], rtol=1e-5 if dtype == torch.float32 else 2**-7, atol=1e-6)
    for one, other in zip(made[1:], expected[1:], strict=True):
        torch.testing.assert_close(one, other.bfloat16(), rtol=2**-7, atol=1e-6)


def test_no_kept_tensor_is_larger_than_what_was_given():
    norm, hidden = a_norm(), torch.randn(64, 24).requires_grad_()
    kept = []

    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()), lambda _: None):
        ours(norm, hidden, torch.bfloat16)

    assert sorted(kept) == [24, 64, 64 * 24]


def a_model(config):
    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_config(config)
    for name, weight in model.named_parameters():
        if "norm" in name:
            weight.data.uniform_(0.5, 1.5)
    return model


@pytest.mark.parametrize(
    ("config", "n_taken"),
    [
        (LlamaConfig(**SHAPE), 5),
        (Qwen3Config(**SHAPE), 9),  # of queries and keys too
        (Olmo2Config(**SHAPE), 9),
        (Gemma3TextConfig(**SHAPE), 0),  # they add 1 to the weight
    ],
    ids=["llama", "qwen3", "olmo2", "gemma3"],
)
def test_a_model_computes_with_our_norms_what_it_did(config, n_taken):
    model, tokens = a_model(config), torch.arange(3, 33)[None]
    expected = model(tokens).logits
    expected_grad = torch.autograd.grad(expected.square().sum(), model.get_input_embeddings().weight)

    norms.take_over_norms(model)

    made = model(tokens).logits
    made_grad = torch.autograd.grad(made.square().sum(), model.get_input_embeddings().weight)
    assert sum("forward" in vars(module) for module in model.modules()) == n_taken
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(made_grad, expected_grad, rtol=1e-3, atol=1e-4)


def test_a_norm_gives_what_the_layers_compute_in():
    model = a_model(LlamaConfig(**SHAPE))
    norms.take_over_norms(model)
    norm, hidden = model.model.norm, torch.randn(1, 4, 32)

    assert norm(hidden).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert norm(hidden).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [torch.nn.LayerNorm, Gemma3RMSNorm, torch.nn.Linear])
def test_what_computes_something_else_stays_as_it_is(kind):
    model = torch.nn.Sequential(kind(*(8, 8)[: 2 if kind is torch.nn.Linear else 1]))

    norms.take_over_norms(model)

    assert "forward" not in vars(model[0])


class TwoPartedRMSNorm(LlamaRMSNorm):
    def __init__(self, size, eps, groups):
        super().__init__(size // groups, eps)


class ConfiguredRMSNorm(LlamaRMSNorm):
    def __init__(self, config):
        super().__init__(config.hidden_size)


class EpsilonOutsideRMSNorm(LlamaRMSNorm):
    def forward(self, hidden):
        return self.weight * hidden / (hidden.square().mean(-1, keepdim=True).sqrt() + self.variance_epsilon)


@pytest.mark.parametrize(
    "norm",
    [
        TwoPartedRMSNorm(8, EPSILON, 2),
        ConfiguredRMSNorm(LlamaConfig(**SHAPE)),
        EpsilonOutsideRMSNorm(8),
        Gemma3nRMSNorm(8, with_scale=False),  # one of its class with a weight is ours
    ],
)
def test_a_norm_that_is_called_so_but_is_another_stays_as_it_is(norm):
    model = torch.nn.Sequential(Gemma3nRMSNorm(8), norm)

    norms.take_over_norms(model)

    assert ["forward" in vars(module) for module in model] == [True, False]


def test_a_policys_norms_are_ours_in_a_copy_too(policy):
    copied = copy.deepcopy(policy.model)
    mine, other = policy.model.model.norm, copied.model.norm

    other.weight.data.zero_()

    assert mine.forward.func is other.forward.func
    assert mine(torch.ones(1, 1, mine.weight.numel())).all()
    assert not other(torch.ones(1, 1, mine.weight.numel())).any()
