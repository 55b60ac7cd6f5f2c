"""Packing, micro-batches, the order of an epoch, and dealing to processes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsotrain.batching import Example, batches_of_epoch, micro_batches, micro_tokens, pack
from tsotrain.config import TrainConfig
from tsotrain.errors import TrainError
from tsotrain.parallel import deal

PAIR = Example("a", (10, 11, 12), ((20, 21, 22), (30, 31)))


def test_a_pair_lies_as_its_prompt_once_and_both_responses_without_their_last_token():
    batch = pack([PAIR])

    assert batch.tokens_1T.tolist() == [[10, 11, 12, 20, 21, 30]]
    assert batch.positions_1T.tolist() == [[0, 1, 2, 3, 4, 3]]
    assert batch.states_S.tolist() == [2, 3, 4, 2, 5]  # the prompt's last state predicts both first tokens
    assert batch.targets_S.tolist() == [20, 21, 22, 30, 31]
    assert batch.lengths == ((3, 2),)


def test_tokens_are_counted_as_run_and_as_people_count_them():
    assert (PAIR.n_tokens, PAIR.n_real_tokens) == (6, 11)


@pytest.mark.parametrize(
    ("n_layers", "n_hidden", "body_share", "n_tokens"),
    [
        (8, 256, 0.75, 1611),  # as its activations allow
        (8, 512, 0.75, 1000),  # as its weights ask for
        (6, 256, 0.25, 3000),  # most of them at the ends
        (1, 16, 0.75, 8192),  # never more
        (2, 64, 0.01, 8192),
    ],
)
def test_a_forward_pass_on_a_cpu_goes_by_the_policys_shape(n_layers, n_hidden, body_share, n_tokens):
    shape = {"n_layers": n_layers, "n_hidden": n_hidden, "body_share": body_share}

    assert micro_tokens(0, **shape, on_cpu=True) == n_tokens
    assert micro_tokens(0, **shape, on_cpu=False) == 8192
    assert micro_tokens(100, **shape, on_cpu=True) == 100


def test_fewer_tokens_than_none_are_refused():
    with pytest.raises(TrainError, match="micro_tokens = -1: at least 0"):
        TrainConfig(micro_tokens=-1)


sizes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=30)


def examples_of(sizes):
    return [Example(str(i), (1,) * p, ((2,) * c, (3,) * r)) for i, (p, c, r) in enumerate(sizes)]


@given(sizes, st.integers(1, 60))
def test_micro_batches_keep_every_example_and_their_budget(sizes, budget):
    examples = examples_of(sizes)
    groups = micro_batches(examples, budget)
    loads = [sum(example.n_tokens for example in group) for group in groups]

    assert sorted(example for group in groups for example in group) == sorted(examples)
    assert all(len(group) == 1 or load <= budget for group, load in zip(groups, loads, strict=True))
    assert loads == sorted(loads, reverse=True)
    assert all(groups)


@given(sizes, st.integers(1, 60))
def test_micro_batches_do_not_go_by_the_order_of_their_examples(sizes, budget):
    examples = examples_of(sizes)

    assert micro_batches(examples[::-1], budget) == micro_batches(examples, budget)


@pytest.mark.parametrize(
    ("lengths", "budget", "loads"),
    [
        ([30, 50, 30, 10], 60, [60, 60]),  # in the order given they would be three
        ([40, 40, 40, 40, 40, 40], 200, [120, 120]),  # not 200 and 40
        ([70, 10, 10], 60, [70, 20]),  # the long one stands alone
        ([40, 40, 40], 60, [40, 40, 40]),
        ([10], 60, [10]),
        ([], 60, []),
    ],
)
def test_micro_batches_are_few_and_even(lengths, budget, loads):
    examples = [Example(f"e{place}", (1,) * length, ((2,), (3,))) for place, length in enumerate(lengths)]

    assert [sum(example.n_tokens for example in group) for group in micro_batches(examples, budget)] == loads


def test_the_micro_batches_of_a_whole_store_are_found_at_once():
    draw = random.Random(5)
    lengths = [draw.randrange(20, 900) for _ in range(20_000)]
    examples = [Example(f"e{place}", (1,) * length, ((2,), (3,))) for place, length in enumerate(lengths)]

    n_groups = len(micro_batches(examples, 8192))

    assert n_groups <= 1.05 * sum(lengths) / 8192


@given(sizes, st.integers(1, 5), st.integers(1, 60))
def test_a_step_is_dealt_whole_and_every_process_has_as_many_forward_passes(sizes, n_ranks, budget):
    examples = examples_of(sizes)
    shares = deal(examples, n_ranks, budget)

    dealt = [example for share in shares for micro in share.micro_batches for example in micro]
    assert sorted(dealt) == sorted(examples)
    assert len({len(share.micro_batches) for share in shares}) == 1


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 2**32), st.integers(1, 5))
def test_an_epoch_holds_each_pair_once(n_pairs, batch_size, seed, epoch):
    batches = batches_of_epoch(n_pairs, batch_size, seed=seed, epoch=epoch)

    assert sorted(place for batch in batches for place in batch) == list(range(n_pairs))
    assert all(len(batch) == batch_size for batch in batches[:-1])


@pytest.mark.parametrize(("seed", "epoch"), [(43, 2), (44, 1)])
def test_another_seed_or_epoch_is_another_order(seed, epoch):
    assert batches_of_epoch(50, 8, seed=43, epoch=1) != batches_of_epoch(50, 8, seed=seed, epoch=epoch)
