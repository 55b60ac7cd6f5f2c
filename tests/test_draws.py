"""The arithmetic of a build."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from tsodata.draws import Supply, chi_square, chi_square_tail, effective_number, quotas, source_weights, split_both
from tsodata.errors import EmptyPoolError
from tsodata.matrix import ModelMatrix, Roster
from tsodata.records import Source

CELLS = [("v1", 7), ("v2", 7), ("v1", 1), ("v2", 13), ("v2", 30)]


def around(base, *sources):
    return Roster(sources, ModelMatrix.around(base, sources))


ROSTER = around("m/v2/7", Source.people(), *(Source.model("m", version, size) for version, size in CELLS))


def test_the_sources_of_a_role_share_its_weight_evenly():
    found = source_weights({"human": 0.5, "newest-larger": 0.5}, ROSTER, side="chosen")

    assert {source.label: weight for source, weight in found.weights.items()} == {
        "human": 0.5,
        "m/v2/13": 0.25,
        "m/v2/30": 0.25,
    }


def test_uniform_weights_cover_the_sources_of_eq_2():
    found = source_weights("uniform", ROSTER, side="rejected")

    assert {source.label: weight for source, weight in found.weights.items()} == {"m/v1/7": 0.5, "m/v1/1": 0.5}


def test_a_role_without_a_source_is_told():
    roster = around("m/v1/7", Source.people(), Source.model("m", "v1", 7))

    assert source_weights({"human": 1, "newest-larger": 1}, roster, side="chosen").without_source == ("newest-larger",)


def test_a_side_without_any_source_is_refused():
    roster = around("m/v1/7", Source.model("m", "v1", 7))

    with pytest.raises(EmptyPoolError, match="no rejected source"):
        source_weights("uniform", roster, side="rejected")


@given(st.tuples(*[st.integers(0, 30)] * 3), st.floats(0.05, 0.95))
def test_prompts_that_serve_both_pools_are_split_for_the_most_pairs(supply, share):
    def most(to_first):
        return min((supply[0] + to_first) / share, (supply[1] + supply[2] - to_first) / (1 - share))

    assert most(split_both(Supply(*supply), share)) == pytest.approx(max(map(most, range(supply[2] + 1))))


def test_quotas_keep_the_shares_of_what_the_scarcer_pool_allows():
    assert quotas([100, 30], [0.5, 0.5], None) == [30, 30]
    assert quotas([100, 30], [0.75, 0.25], None) == [90, 30]  # 120 pairs: 30 are a quarter


@given(st.integers(1, 10_000), st.floats(0.01, 0.99))
def test_quotas_add_up_to_what_was_asked_for(n, share):
    assert sum(quotas([0, 0], [share, 1 - share], n)) == n


@given(st.integers(1, 60), st.floats(0, 150))
def test_the_chi_square_tail_is_scipys(dof, statistic):
    assert chi_square_tail(statistic, dof) == pytest.approx(chi2.sf(statistic, dof), rel=1e-9, abs=1e-13)


def test_chi_square_by_hand():
    test = chi_square([10, 10], [14, 6])  # 16/10 + 16/10

    assert (test.statistic, test.dof) == (pytest.approx(3.2), 1)


def test_the_effective_number_of_two_even_sources_is_two():
    assert effective_number([5, 5, 0]) == 2
    assert effective_number([]) == 0
