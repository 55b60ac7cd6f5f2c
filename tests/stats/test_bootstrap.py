"""The bootstrap: the same for the same seed, and what a plain loop over the same draws gives."""

from math import sqrt

import pytest

from tsodata.stats.listing import N_BLOCKS
from tsodata.stats.measuring import N_REPLICATES, keep_draws

from .conftest import Figures, row


def scored(run_import, n=60):
    run_import("records", [row(f"question {i}", "big", f"answer {i}", 2 + (i * 7) % 9) for i in range(n)])


def mean_score(store, **asked):
    return Figures(store, sections=("cells",), **asked)("cells", "mean score")


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(store, run_import):
    scored(run_import)

    assert mean_score(store) == mean_score(store)
    assert mean_score(store).interval != mean_score(store, seed=44).interval


def test_the_interval_is_as_wide_as_the_standard_error_says(store, run_import):
    scored(run_import)
    found = mean_score(store)
    values = [2 + (i * 7) % 9 for i in range(60)]
    mean = sum(values) / 60
    error = sqrt(sum((v - mean) ** 2 for v in values) / 59 / 60)

    assert found.value == pytest.approx(mean)
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_the_interval_is_that_of_a_plain_loop_over_the_draws(store, run_import):
    scored(run_import, 5)
    rows = store.sql("select prompt_key % 1024 as block, value from scores").rows()
    with store.reader() as reader:
        keep_draws(reader, seed=7)
        weights = {(r, b): w for r, b, w in reader.connection.execute("select * from draws").fetchall()}
        reader.keep_text("blocks", f"select 'x' as subject, prompt_key % {N_BLOCKS} as block, count(*) as n, "
                                   "fsum(value) as total from scores group by block")  # fmt: skip
        ((_, low, high),) = reader.rows("summaries/intervals")
    means = []
    for replicate in range(N_REPLICATES):
        taken = [(weights.get((replicate, block), 0), value) for block, value in rows]
        if any(weight for weight, _ in taken):
            means.append(sum(w * v for w, v in taken) / sum(w for w, _ in taken))
    means.sort()

    assert (low, high) == pytest.approx((quantile(means, 0.025), quantile(means, 0.975)))


def quantile(values, q):
    place = q * (len(values) - 1)
    below = int(place)
    return values[below] + (place - below) * (values[min(below + 1, len(values) - 1)] - values[below])


def test_draws_are_poisson_with_mean_1(store):
    with store.reader() as reader:
        keep_draws(reader, seed=43)
        total, most = reader.connection.execute("select sum(weight), max(weight) from draws").fetchall()[0]
        none = 1 - reader.connection.execute("select count(*) from draws").fetchall()[0][0] / (N_REPLICATES * N_BLOCKS)

    assert total / (N_REPLICATES * N_BLOCKS) == pytest.approx(1, abs=0.005)
    assert none == pytest.approx(0.36788, abs=0.002)
    assert 7 <= most <= 8


def test_several_answers_to_one_prompt_are_drawn_together(store, run_import):
    rows = [row(f"question {i}", "big", f"answer {i} {j}", 2 + i % 9, sample=j) for i in range(40) for j in range(10)]
    run_import("records", rows)
    found = mean_score(store)
    values = [2 + i % 9 for i in range(40)]
    mean = sum(values) / 40
    error = sqrt(sum((v - mean) ** 2 for v in values) / 39 / 40)

    assert found.n == 400
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * error, rel=0.2)  # of 40, not of 400


def test_one_prompt_has_no_interval(store, run_import):
    scored(run_import, 1)

    assert mean_score(store).interval is None
