"""The draws by score, each on scores small enough to work out by hand."""

import math
import random
import time
from collections import Counter

import pytest

from tsodata.builds.drawing import draw
from tsodata.builds.planning import make_plan
from tsodata.draws import chi_square
from tsodata.errors import EmptyPoolError
from tsodata.provenance import stream_seed
from tsodata.recipes import Pool, Recipe
from tsodata.store import Store

from .conftest import answers, build, of_base, score_all_alike, texts

MASK = 2**64 - 1
N_LAW = 20_000


def drawn(store, run_import, recipe, *rows, **options):
    run_import("records", [row for group in rows for row in group])
    return build(store, recipe=recipe, **options)


def positions(store):
    """Return round, and the positions of the chosen and rejected answers among the prompt's."""
    return [(number, int(chosen[-1]), int(rejected[-1])) for number, chosen, rejected in texts(store)]


def test_max_second_sets_each_score_against_the_next(store, run_import):
    drawn(store, run_import, of_base("max_second", pairs_per_prompt=3), answers("q", [3, 9, 5, 7]))

    assert positions(store) == [(1, 1, 3), (2, 3, 2), (3, 2, 0)]  # 9 7, 7 5, 5 3


def test_max_second_passes_over_equal_scores(store, run_import):
    drawn(store, run_import, of_base("max_second"), answers("q", [9, 9, 5]))

    ((_, chosen, rejected),) = positions(store)
    assert chosen in (0, 1)
    assert rejected == 2


@pytest.mark.parametrize("draw", ["max_second", "max_random"])
def test_a_tie_for_the_best_can_be_skipped(store, run_import, draw):
    rows = answers("tied", [9, 9, 5]), answers("clear", [9, 5, 4])

    done = drawn(store, run_import, of_base(draw, ties="skip"), *rows)

    assert done.outcomes == {"paired": 1, "tie": 1}


@pytest.mark.parametrize("draw", ["max_second", "max_random", "rso"])
def test_a_prompt_that_cannot_give_a_pair_says_why(store, run_import, draw):
    same = [{**row, "response": "same"} for row in answers("same", [3, 4])]
    rows = [
        answers("good", [3, 9]),
        answers("tie", [5, 5]),
        answers("bare", [None, 5]),
        answers("one", [5]),
        same,
        [{**row, "response": " "} for row in answers("empty", [3, 4])],
    ]

    done = drawn(store, run_import, of_base(draw), *rows)

    assert done.outcomes == {"paired": 1, "tie": 1, "unscored": 1, "one_answer": 1, "identical": 1, "no_answers": 1}


def test_equal_texts_compete_as_one_with_the_best_of_their_scores(store, run_import):
    rows = list(answers("q", [9, 8, 3]))
    rows[1]["response"] = rows[0]["response"]

    drawn(store, run_import, of_base("max_second"), rows)

    assert store.sql("select chosen_score, rejected_score from v_pairs").rows() == [(9.0, 3.0)]


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    """Return a store whose prompts all have three answers with scores 5, 5 - ln 2 and 5 - ln 4."""
    store = Store.open(tmp_path_factory.mktemp("law") / "s.duckdb", create=True)
    return score_all_alike(store, N_LAW, [5, 5 - math.log(2), 5 - math.log(4)])


def frequencies(store, name, columns):
    found = store.sql(
        f"select {columns}, count(*) from v_pairs p join v_responses c on c.response_id = p.chosen_response_id "
        "join v_responses r on r.response_id = p.rejected_response_id where build = $name group by all",
        {"name": name},
    )
    return {row[:-1]: row[-1] for row in found.rows()}


def test_every_opponent_of_the_best_is_as_likely(alike):
    build(alike, "random", of_base("max_random"))

    counts = frequencies(alike, "random", "c.text, r.text")

    assert set(counts) == {("0", "1"), ("0", "2")}
    assert chi_square([N_LAW / 2] * 2, list(counts.values())).p > 0.001


def test_no_opponent_comes_twice(alike):
    build(alike, "rounds", of_base("max_random", pairs_per_prompt=2))

    assert sum(frequencies(alike, "rounds", "c.text, r.text").values()) == 2 * N_LAW


# With beta = 1 the chances against the best, A, are 1, 1/2 and 1/4; against B they are 1 and 1/2. Worked out over the
# six orders of the first pass: P(A first) = (1 + 1 + 1/2 + 3/8 + 3/4 + 3/8) / 6 = 2/3, and so on for the second.
ACCEPTED = {"AB": 1 / 2, "AC": 1 / 6, "BA": 5 / 24, "BC": 1 / 48, "CA": 1 / 12, "CB": 1 / 48}


def accepted(store, beta, *, n_accept=2, seed=43):
    """Return per prompt the letters of the accepted answers, in order."""
    recipe = of_base("rso", beta=beta, pairs_per_prompt=n_accept // 2).with_options(seed=seed)
    with store.reader() as reader:
        snapshot = reader.snapshot()
        draw(reader, make_plan(reader, "m/v2/7", recipe, snapshot, None), snapshot.commit_seq)
        rows = reader.connection.execute(
            "select list(chr(65 + text::integer) order by step) from accepted join responses using (response_key) "
            "group by accepted.prompt_key order by accepted.prompt_key"
        ).fetchall()
    return ["".join(letters) for (letters,) in rows]


@pytest.mark.parametrize("seed", [43, 44, 45])
def test_answers_are_accepted_by_the_law_that_was_worked_out_by_hand(alike, seed):
    counts = Counter(accepted(alike, 1.0, seed=seed))

    assert sum(counts.values()) == N_LAW
    assert chi_square([N_LAW * p for p in ACCEPTED.values()], [counts[pair] for pair in ACCEPTED]).p > 0.001


def test_the_law_is_not_that_of_taking_the_best_nor_of_any_two(alike):
    counts = Counter(accepted(alike, 1.0))

    assert chi_square([N_LAW / 6] * 6, [counts[pair] for pair in ACCEPTED]).p < 1e-9
    assert counts["AB"] + counts["BA"] < 0.75 * N_LAW


def test_a_small_temperature_takes_the_best_two_and_a_large_one_any_two(alike):
    assert set(accepted(alike, 0.01)) == {"AB"}
    counts = Counter(accepted(alike, 1000.0))
    assert chi_square([N_LAW / 6] * 6, [counts[pair] for pair in ACCEPTED]).p > 0.001


def hash64(key, seed):
    z = (key * 0x9E3779B97F4A7C15 + seed) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def accept(scores, beta, n_accept, seed):
    """Return the keys that are accepted, by the words of the law, one answer after the other."""
    left, taken, number = dict(scores), [], 0
    while left and len(taken) < n_accept:
        number += 1
        order, chance = stream_seed(seed, "self", "order", number), stream_seed(seed, "self", "number", number)
        for key in sorted(left, key=lambda key: hash64(key, order)):
            u = ((hash64(key, chance) >> 11) + 0.5) * 2.0**-53
            if u < math.exp((left[key] - max(left.values())) / beta):
                taken.append(key)
                del left[key]
                if len(taken) == n_accept:
                    break
    return taken


def test_the_sql_accepts_what_a_loop_over_the_answers_accepts(store, run_import):
    rng = random.Random(7)
    rows = [row for i in range(60) for row in answers(f"q{i}", [rng.randint(1, 9) for _ in range(rng.randint(2, 7))])]
    run_import("records", rows)
    build(store, recipe=of_base("rso", beta=1.5, pairs_per_prompt=2))
    scores = store.sql("select prompt_id, response_id, value from v_scores").rows()
    expected = set()
    for prompt in {row[0] for row in scores}:
        keys = {int(answer[3:], 16): value for asked, answer, value in scores if asked == prompt}
        taken = accept(keys, 1.5, 4, 43)
        for first, second in zip(taken[::2], taken[1::2], strict=False):
            if keys[first] != keys[second]:
                expected.add(tuple(sorted((first, second), key=keys.get, reverse=True)))

    pairs = store.sql("select chosen_response_id, rejected_response_id from v_pairs").rows()
    assert {tuple(int(one[3:], 16) for one in pair) for pair in pairs} == expected


def test_no_answer_is_accepted_twice(alike):
    assert {len(set(letters)) for letters in accepted(alike, 1.0, n_accept=4)} == {3}  # there are only three


def test_a_million_answers_are_gone_through_in_reasonable_time(tmp_path):
    store = score_all_alike(Store.open(tmp_path / "s.duckdb", create=True), 125_000, [1, 2, 3, 5, 7, 8, 8.5, 9])
    started = time.monotonic()
    done = build(store, recipe=of_base("rso"))

    assert done.n_pairs == 125_000
    assert time.monotonic() - started < 120


def test_max_min_goes_to_the_middle_and_no_further(store, run_import):
    drawn(store, run_import, of_base("max_min", pairs_per_prompt=5), answers("q", [3, 9, 5, 7, 1]))

    assert positions(store) == [(1, 1, 4), (2, 3, 0)]  # 9 1, 7 3; 5 stands alone


def test_weighted_rounds_give_no_pair_of_the_same_two_texts_again(store, run_import):
    run_import("records", list(answers("q", [3, 9])))
    both = Pool(chosen={"base": 1.0}, rejected={"base": 1.0})
    done = build(store, recipe=Recipe(pools={"matrix": both}, pairs_per_prompt=20, minibatches=1), allow_short=True)

    assert done.n_pairs == 1  # the same way round or the other, two answers make one pair


def test_nothing_to_draw_from_is_told(store, run_import):
    with pytest.raises(EmptyPoolError, match=r"pool self gives 0 .*1 prompts unscored"):
        drawn(store, run_import, of_base("rso"), answers("q", [3, None]))
