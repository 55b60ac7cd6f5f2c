"""Packed attention against torch's own on one sequence after another, at every length where it takes another way."""

import pytest
import torch
from torch.nn import functional

from tsotrain import attention, varlen
from tsotrain.batching import Layout

CPU = torch.device("cpu")
BLOCK, MOST = attention.BLOCK_QUERIES, attention.MOST_KEYS
SCALE = 0.3
SIZES = [
    (1, 1), (1, 9), (7, 7), (3, 9),
    (BLOCK, BLOCK), (BLOCK + 1, BLOCK + 1), (2 * BLOCK + 5, 700), (1, MOST), (MOST, MOST),
    (40, MOST + 1), (MOST + 1, MOST + 1),
]  # fmt: skip


def heads_of(n_queries, n_keys):
    torch.manual_seed(n_queries)
    return [torch.randn(2, n, 16).requires_grad_() for n in (n_queries, n_keys, n_keys)]


def plain(query, key, value):
    seen = torch.ones(query.shape[1], key.shape[1], dtype=torch.bool).tril(key.shape[1] - query.shape[1])
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=SCALE)


def with_gradients(attend, heads):
    made = attend(*heads)
    return [made.detach(), *torch.autograd.grad(made.square().sum(), heads)]


def ours(query, key, value):
    return attention.attend_causally(query, key, value, scale=SCALE)


@pytest.mark.parametrize(("n_queries", "n_keys"), SIZES)
def test_the_last_queries_attend_as_torch_has_them(n_queries, n_keys):
    heads = heads_of(n_queries, n_keys)

    for made, expected in zip(with_gradients(ours, heads), with_gradients(plain, heads), strict=True):
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_flash", [False, True])
def test_all_three_are_attended_in_one_dtype_under_autocast(monkeypatch, is_flash):
    # a rotary embedding leaves queries and keys in float32, values come as the layer computed them
    seen = []

    def attend(_, heads, **how):
        assert how == {"scale": SCALE}
        seen.extend(head.dtype for head in heads)
        return heads[0]

    monkeypatch.setattr(varlen, "attend", attend)
    layout = Layout(3, (2, 1))
    query, key = (torch.randn(1, 2, 6, 16) for _ in range(2))
    value = torch.randn(1, 2, 6, 16, dtype=torch.bfloat16)
    calls = varlen.plan_calls([layout], CPU) if is_flash else ()
    with torch.autocast("cpu", torch.bfloat16):
        row, _ = attention.packed_attention(
            torch.nn.Module(), query, key, value, None, scaling=SCALE, layouts=[layout], calls=calls
        )

    assert (row.dtype, row.shape) == (torch.bfloat16, (1, 6, 2, 16))
    assert seen == [torch.bfloat16] * 3 * is_flash


def test_what_fills_a_row_up_is_attended_by_nothing():
    layout, n_filling = Layout(3, (2, 1)), 5
    heads = [torch.randn(1, 2, 6 + n_filling, 16).requires_grad_() for _ in range(3)]

    def attend(*parts):
        return attention.packed_attention(torch.nn.Module(), *parts, None, scaling=SCALE, layouts=[layout])[0]

    filled = attend(*heads)
    filled.sum().backward()

    assert torch.equal(filled[:, :6], attend(*(head[:, :, :6] for head in heads)))
    assert not filled[:, 6:].any()
    assert all(not head.grad[:, :, 6:].any() for head in heads)
