"""The calls of variable-length attention against one attention per response, and the kernel where there is CUDA."""

import pytest
import torch
from torch.nn import functional
from torch.nn.attention import varlen as torchs

from tsotrain import attention, varlen
from tsotrain.batching import Example, pack

CPU = torch.device("cpu")


def plain_varlen(query, key, value, query_starts, key_starts, *longest, scale, window_size):
    """Do what varlen_attn does, one sequence after another; its causal mask ends at the last key."""
    assert window_size == (-1, 0)
    assert longest == tuple(max((ends - starts).tolist()) for starts, ends in pairs(query_starts, key_starts))
    rows = []
    for (q0, q1), (k0, k1) in zip(bounds(query_starts), bounds(key_starts), strict=True):
        q, k, v = (tensor.transpose(0, 1) for tensor in (query[q0:q1], key[k0:k1], value[k0:k1]))
        seen = torch.ones(q1 - q0, k1 - k0, dtype=torch.bool).tril(k1 - k0 - (q1 - q0))
        rows.append(functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scale).transpose(0, 1))
    return torch.cat(rows)


def pairs(*all_starts):
    return [(starts[:-1], starts[1:]) for starts in all_starts]


def bounds(starts):
    return zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)


def heads_of(layouts, *, dtype=torch.float32, device=CPU):
    torch.manual_seed(1)
    n_tokens = sum(layout.prompt + sum(layout.responses) for layout in layouts)
    return [torch.randn(1, 2, n_tokens, 32).to(device, dtype).requires_grad_() for _ in range(3)]


def attended(heads, **how):
    for head in heads:
        head.grad = None
    row, _ = attention.packed_attention(torch.nn.Module(), *heads, None, scaling=0.2, **how)
    row.square().sum().backward()
    return [row.detach(), *(head.grad for head in heads)]


def test_two_calls_attend_as_one_call_per_response_does(monkeypatch, examples):
    monkeypatch.setattr(torchs, "varlen_attn", plain_varlen)
    layouts = pack(examples).layouts
    heads = heads_of(layouts)
    theirs = attended(heads, layouts=layouts)
    ours = attended(heads, calls=varlen.plan_calls(layouts, CPU))

    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(ours, theirs, strict=True))


def test_places_of_a_pair_are_its_prompt_with_each_response():
    # prompt of 3, responses of 3 and 2 tokens, the last of each left out: row 0-2, 3-4, 5
    (layout,) = pack([Example("a", (10, 11, 12), ((20, 21, 22), (30, 31)))]).layouts
    first, further = varlen.plan_calls([layout], CPU)

    assert first.queries.tolist() == first.keys.tolist() == [0, 1, 2, 3, 4]
    assert (further.queries.tolist(), further.keys.tolist()) == ([5], [0, 1, 2, 5])
    assert (further.longest_query, further.longest_key) == (1, 4)


def test_a_response_to_tune_on_needs_one_call(examples):
    layouts = pack([example._replace(responses=example.responses[:1]) for example in examples]).layouts

    assert len(varlen.plan_calls(layouts, CPU)) == 1


def test_a_cpu_has_no_flash_attention():
    assert not varlen.is_usable(CPU, torch.bfloat16)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="flash attention needs a GPU, and there is none")
def test_the_kernel_attends_as_one_call_per_response_does(examples):
    cuda, dtype = torch.device("cuda"), torch.bfloat16
    layouts = pack(examples).layouts
    heads = heads_of(layouts, dtype=dtype, device=cuda)
    theirs = attended(heads, layouts=layouts)
    ours = attended(heads, calls=varlen.plan_calls(layouts, cuda))

    assert varlen.is_usable(cuda, dtype)
    assert all(torch.allclose(a, b, atol=0.05, rtol=0.05) for a, b in zip(ours, theirs, strict=True))
