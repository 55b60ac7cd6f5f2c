"""Packed scores and gradients against the model's own forward pass, one response at a time."""

import pytest
import torch

from tsotrain import attention, losses
from tsotrain.batching import pack
from tsotrain.logprobs import CACHED_ROWS, Buffers, head_loss
from tsotrain.losses import LogRatios
from tsotrain.policy import prepared


def plain_logps(model, example):
    """Return the log-probability of each response, by the plainest way there is, with the model's own norms."""
    model.set_attn_implementation("eager")
    norms = {module: vars(module).pop("forward") for module in model.modules() if "forward" in vars(module)}
    sums = []
    for response in example.responses:
        ids = torch.tensor([example.prompt + response])
        logps = model(ids).logits[0, len(example.prompt) - 1 : -1].log_softmax(dim=-1)
        sums.append(logps.gather(1, torch.tensor(response)[:, None]).sum())
    model.set_attn_implementation(attention.NAME)
    for module, forward in norms.items():
        module.forward = forward
    return sums


def pair_losses(logps, _=None):
    ratios = logps.view(-1, 2)
    return losses.dpo(LogRatios(ratios[:, 0] + 20, ratios[:, 1] + 21), beta=0.1).sum()


def gradients(policy, loss):
    policy.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in policy.named_parameters()}


def assert_same(ours, theirs):
    for name, gradient in theirs.items():
        assert torch.allclose(ours[name], gradient, atol=1e-5 * float(gradient.abs().max()), rtol=0), name


def test_a_packed_score_is_the_score_of_the_response_alone(policy, examples):
    _, ours = policy(pack(examples))
    theirs = [logp for example in examples for logp in plain_logps(policy.model, example)]

    assert ours.tolist() == pytest.approx([logp.item() for logp in theirs], rel=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_the_gradient_of_a_packed_loss_is_that_of_separate_passes(tiny_model, examples, tied):
    policy = prepared(tiny_model(tied=tied))
    ours = gradients(policy, policy(pack(examples), pair_losses)[0])
    theirs = gradients(policy, pair_losses(torch.stack([x for e in examples for x in plain_logps(policy.model, e)])))

    assert_same(ours, theirs)


@pytest.mark.parametrize("chunk", [1, 3, 8, 20])
def test_the_size_of_a_chunk_changes_nothing(policy, examples, chunk):
    batch = pack(examples)
    weight = policy.model.lm_head.weight

    def run(chunk):
        hidden = policy._hidden(batch)[0].index_select(0, batch.states_S)
        loss, logps = head_loss(hidden, weight, batch.targets_S, batch.lengths, example_loss=pair_losses, chunk=chunk)
        return gradients(policy, loss), loss.item(), logps

    ours, loss, logps = run(chunk)
    theirs, all_at_once, logps_at_once = run(10_000)

    assert loss == pytest.approx(all_at_once, rel=1e-6)
    assert torch.allclose(logps, logps_at_once)
    assert_same(ours, theirs)


def test_a_losss_factor_reaches_every_gradient(policy, examples):
    once = gradients(policy, policy(pack(examples), pair_losses)[0])
    thrice = gradients(policy, 3 * policy(pack(examples), pair_losses)[0])

    assert_same(thrice, {name: 3 * gradient for name, gradient in once.items()})


def test_in_bf16_a_heads_gradient_is_summed_in_float32():
    # over many chunks, and a vocabulary of more rows than are summed at a time
    torch.manual_seed(11)
    lengths = ((3, 4),) * 60
    hidden = torch.randn(420, 16).bfloat16()
    weight = torch.randn(CACHED_ROWS + 500, 16).bfloat16().float().requires_grad_()
    targets = torch.randint(len(weight), (420,))

    def example_loss(logps, _):
        return logps.sum()

    loss, _ = head_loss(hidden, weight, targets, lengths, example_loss=example_loss, chunk=7)
    (ours,) = torch.autograd.grad(loss, weight)
    plain = (hidden.float() @ weight.t()).log_softmax(dim=1).gather(1, targets[:, None]).sum()
    (expected,) = torch.autograd.grad(plain, weight)

    assert loss.item() == pytest.approx(plain.item(), rel=1e-3)
    assert (ours - expected).norm() < 0.0065 * expected.norm()  # each part is rounded; a sum in bf16 would be 0.008 off


def test_a_response_to_tune_on_stands_alone_after_its_prompt(policy, examples):
    alone = [example._replace(responses=example.responses[:1]) for example in examples]
    _, ours = policy(pack(alone))

    assert ours.tolist() == pytest.approx([plain_logps(policy.model, e)[0].item() for e in alone], rel=1e-5)


def test_neighbours_in_the_row_are_not_seen(policy, examples):
    _, together = policy(pack(examples))
    _, turned = policy(pack(examples[::-1]))

    assert torch.allclose(together.view(-1, 2), turned.view(-1, 2).flip(0), atol=1e-5)


def test_on_a_cpu_the_heads_buffers_stay_and_grow_only_where_they_must():
    buffers = Buffers()
    like = torch.zeros(2, 5)
    first = buffers.take("logits", 64, like, torch.float32)
    fewer = buffers.take("logits", 32, like, torch.float32)
    more = buffers.take("logits", 96, like, torch.float32)

    assert (first.shape, fewer.shape, more.shape) == ((64, 5), (32, 5), (96, 5))
    assert fewer.data_ptr() == first.data_ptr() != more.data_ptr()
    assert buffers.take("logits", 64, like, torch.bfloat16).dtype == torch.bfloat16
    assert buffers.take("logits", 64, torch.zeros(2, 7), torch.bfloat16).shape == (64, 7)


def test_what_an_earlier_pass_left_in_the_buffers_is_in_no_later_one(policy, examples):
    def scored_and_gradients(batch):
        loss, logps = policy(batch, pair_losses)
        return logps, gradients(policy, loss)

    few = pack(examples[:2])
    logps, fresh = scored_and_gradients(few)
    scored_and_gradients(pack(examples))
    again, used = scored_and_gradients(few)

    assert torch.equal(again, logps)
    assert all(torch.equal(used[name], gradient) for name, gradient in fresh.items())
