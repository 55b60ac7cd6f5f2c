"""Draws of tokens: by hand on given probabilities, in frequency, and alone against in a batch."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_model

from tsodata.engines.decoding import DecodingStoppedError, Row, decode_rows, next_tokens
from tsodata.engines.protocol import Sampling

END = 2
PROMPTS = [(1, 70, 80), (1, 90), (1, *range(40, 60)), (1, 5, 6, 7, 8)]


@pytest.fixture(scope="module")
def model():
    return make_model().eval()


def logits(*probabilities):
    return torch.tensor([probabilities], dtype=torch.float64).log()


def draws(probabilities, n=4000, **sampling):
    """Return how often each token is drawn, over n seeds."""
    rows = [Row.of((1,), Sampling(**sampling), seed) for seed in range(n)]
    return Counter(next_tokens(logits(*probabilities).expand(n, -1), rows))


def answered(model, rows, **options):
    decode_rows(model, rows, ends={END}, decode=lambda ids: "".join(chr(i) for i in ids), **options)
    return [(row.answer, row.finish_reason) for row in rows]


def test_tokens_come_as_often_as_they_are_likely():
    found = draws([0.5, 0.3, 0.2], temperature=1, top_p=1)

    for token, share in enumerate([0.5, 0.3, 0.2]):
        assert abs(found[token] / 4000 - share) < 4 * math.sqrt(share * (1 - share) / 4000)


def test_a_temperature_raises_probabilities_to_its_inverse():
    found = draws([0.8, 0.2], temperature=2, top_p=1)  # 0.8^½ : 0.2^½ = 2 : 1

    assert abs(found[0] / 4000 - 2 / 3) < 4 * math.sqrt(2 / 9 / 4000)


def test_top_p_keeps_the_fewest_tokens_that_reach_it():
    assert set(draws([0.1, 0.5, 0.4], temperature=1, top_p=0.5)) == {1}
    assert set(draws([0.1, 0.5, 0.4], temperature=1, top_p=0.6)) == {1, 2}
    assert set(draws([0.1, 0.5, 0.4], temperature=1, top_p=0.95)) == {0, 1, 2}


def test_kept_tokens_stay_in_proportion():
    found = draws([0.1, 0.6, 0.3], temperature=1, top_p=0.8)  # of 0.6 and 0.3, two in three

    assert abs(found[1] / 4000 - 2 / 3) < 4 * math.sqrt(2 / 9 / 4000)


def test_temperature_zero_takes_the_most_likely_and_no_draw():
    row = Row.of((1,), Sampling(temperature=0), 5)
    before = row.generator.get_state()

    assert next_tokens(logits(0.2, 0.5, 0.3), [row]) == [1]
    assert torch.equal(row.generator.get_state(), before)


def test_a_token_of_no_probability_is_never_drawn():
    assert 0 not in draws([0.0, 0.5, 0.5], temperature=1, top_p=1)
    assert 2 not in draws([0.5, 0.5, 0.0], temperature=1, top_p=1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), others=st.lists(st.integers(0, 2**31 - 1), max_size=4), place=st.integers(0, 4))
def test_a_draw_depends_on_its_own_seed_alone(seed, others, place):
    sampling = Sampling(temperature=1, top_p=0.9)
    some = torch.linspace(-2, 2, 11)[None]
    (alone,) = next_tokens(some, [Row.of((1,), sampling, seed)])

    rows = [Row.of((1,), Sampling(temperature=0.1 * i, top_p=1), other) for i, other in enumerate(others)]
    rows.insert(place, Row.of((1,), sampling, seed))
    together = next_tokens(some.expand(len(rows), -1), rows)

    assert together[min(place, len(rows) - 1)] == alone


def test_an_answer_is_the_same_alone_and_in_a_batch(model):
    def rows():
        return [
            Row.of(prompt, Sampling(temperature=1, max_tokens=6 + 9 * i), seed)
            for i, (prompt, seed) in enumerate(asked)
        ]

    asked = [(prompt, seed) for seed in (1, 2) for prompt in PROMPTS]
    together = answered(model, rows())  # rows end at their own times, so the batch is cut down on the way

    assert [answered(model, [row])[0] for row in rows()] == together
    assert len({tuple(answer[:6]) for answer, _ in together}) == len(together)


def test_without_a_seed_no_two_answers_are_alike(model):
    rows = [Row.of(PROMPTS[0], Sampling(temperature=1, top_p=1, max_tokens=8), None) for _ in range(2)]

    (first, _), (second, _) = answered(model, rows)
    assert first != second


@pytest.mark.parametrize("together", [True, False])
def test_temperature_zero_is_what_the_model_itself_generates(model, together):
    rows = [Row.of(prompt, Sampling(temperature=0, max_tokens=24), None) for prompt in PROMPTS]
    for batch in [rows] if together else [[row] for row in rows]:
        answered(model, batch)

    for row in rows:
        ids = torch.tensor([row.prompt])
        said = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, pad_token_id=0
        )
        assert row.answer == said[0, len(row.prompt) :].tolist()


def test_an_end_token_ends_an_answer_and_is_not_in_its_text(model):
    row = Row.of(PROMPTS[0], Sampling(temperature=0, max_tokens=9), None)
    answered(model, [row])
    third = row.answer[2]

    again = Row.of(PROMPTS[0], Sampling(temperature=0, max_tokens=9), None)
    decode_rows(model, [again], ends={third}, decode=lambda ids: " ".join(map(str, ids)))

    n = row.answer.index(third)
    assert (again.answer, again.finish_reason) == (row.answer[: n + 1], "stop")
    assert again.text == " ".join(map(str, row.answer[:n]))


def test_a_stop_string_ends_an_answer_before_it_even_over_several_tokens(model):
    row = Row.of(PROMPTS[2], Sampling(temperature=0, max_tokens=12), None)
    answered(model, [row])
    stop = row.text[4:7]

    again = Row.of(PROMPTS[2], Sampling(temperature=0, max_tokens=12, stop=("never", stop)), None)
    answered(model, [again])

    assert again.finish_reason == "stop"
    assert again.text == row.text[: row.text.index(stop)]
    assert len(again.answer) == row.text.index(stop) + 3


def test_an_answer_that_is_cut_says_so(model):
    row = Row.of(PROMPTS[0], Sampling(temperature=0, max_tokens=3), None)

    assert answered(model, [row])[0][1] == "length"
    assert len(row.answer) == 3


def test_log_probabilities_are_the_models_whatever_the_temperature(model):
    row = Row.of(PROMPTS[0], Sampling(temperature=0, max_tokens=2, top_logprobs=3), None)
    warm = Row.of(PROMPTS[0], Sampling(temperature=3, max_tokens=2, top_logprobs=3), 1)
    answered(model, [row, warm])

    with torch.no_grad():
        logps = model(torch.tensor([PROMPTS[0]])).logits[0, -1].log_softmax(-1)
    best = {token: float(logps[token]) for token in logps.topk(3).indices.tolist()}
    assert row.top[0] == pytest.approx(best, abs=1e-5)
    assert warm.top[0] == pytest.approx(row.top[0], abs=1e-5)
    assert len(row.top) == 2
    assert next(iter(row.top[0])) == row.answer[0]


def test_a_row_without_numbers_is_broken_and_the_others_are_not():
    rows = [Row.of((1,), Sampling(temperature=1), 1), Row.of((1,), Sampling(temperature=1), 1)]
    next_tokens(torch.tensor([[0.0, math.nan], [0.0, 1.0]]), rows)

    assert [row.is_broken for row in rows] == [True, False]


def test_decoding_ends_when_nobody_waits(model):
    with pytest.raises(DecodingStoppedError):
        answered(model, [Row.of((1,), Sampling(), 1)], is_stopped=lambda: True)
