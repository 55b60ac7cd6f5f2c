"""A cell filled on the prompts of one minibatch of a build, and a plan that knows the journals beside the store."""

from functools import partial

import pytest

from tsodata.builds import build_pairs
from tsodata.errors import UnknownNameError, UsageError
from tsodata.generating import Ask, Shard, journal_answers, make_ask, parse_cell, plan_cell
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe


@pytest.fixture
def with_build(with_prompts, run_import):
    """Return a store whose build `b` has two minibatches of two prompts; the fifth prompt stands in none."""
    people = [{"prompt": f"q{i}", "human": "true", "response": f"people {i}"} for i in range(4)]
    older = [{"prompt": f"q{i}", "response": f"old {i}", "family": "owl", "version": "v0", "size": 7} for i in range(4)]
    run_import("records", [*people, *older])
    recipe = Recipe(pools={"matrix": Pool(chosen={"human": 1.0}, rejected={"owl/v0/7": 1.0})}, minibatches=2)
    with with_prompts.run(Run("test")) as run:
        build_pairs(with_prompts, "b", recipe=recipe, run=run)
    return with_prompts


def test_only_the_prompts_of_the_minibatch_are_asked(with_build, ask_for, fill):
    wanted = with_build.sql("select distinct prompt_id from v_pairs where minibatch = 2").to_series().to_list()
    with ask_for(build="b", minibatch=2, n_samples=3) as (endpoint, ask):
        plan = plan_cell(with_build, ask)
        fill(with_build, ask)

    assert (plan.n_prompts, plan.n_requests, endpoint.n_asked) == (2, 6, 6)
    asked = with_build.sql("select distinct prompt_id from v_responses where source = 'owl/v1/7'").to_series()
    assert sorted(asked) == sorted(wanted)


def test_what_the_policy_has_not_answered_of_a_minibatch_is_stale_and_the_rest_is_not_asked(
    with_build, ask_for, fill, register
):
    with ask_for(dataset="single") as (_, ask):
        fill(with_build, ask)
    register(with_build, "owl/v1/7", "sha-1")

    with ask_for(build="b", minibatch=1) as (endpoint, ask):
        fill(with_build, ask)

    assert endpoint.n_asked == 2
    given = "select settings ->> '$.revision', count(*) from v_calls group by all order by all nulls first"
    assert with_build.sql(given).rows() == [(None, 5), ("sha-1", 2)]


def test_a_build_or_a_minibatch_that_is_not_there_is_told(with_build, ask_for):
    with ask_for(build="b", minibatch=3) as (_, ask), pytest.raises(UsageError, match="the minibatches 1 to 2, not 3"):
        plan_cell(with_build, ask)
    with ask_for(build="z", minibatch=1) as (_, ask), pytest.raises(UnknownNameError, match="no build 'z'"):
        plan_cell(with_build, ask)


def test_a_build_and_a_minibatch_go_together():
    with pytest.raises(UsageError, match="--build and --minibatch go together"):
        Ask(parse_cell("owl/v1/7"), "openai", "owl-7", build="b")
    ask = make_ask({"cell": "owl/v1/7", "model": "m", "build": "b", "minibatch": 2}, where="here")
    assert (ask.build, ask.minibatch) == ("b", 2)


def test_the_plan_of_a_shard_leaves_out_what_its_journals_hold(copied, ask_for, fill, register, tmp_path):
    store, folder = copied(), tmp_path / "j"
    beside = partial(journal_answers, folder)
    with ask_for(n_samples=2, dataset="single", shard=Shard(0, 1)) as (endpoint, ask):
        before = plan_cell(store, ask, beside=beside)
        fill(store, ask, journals=folder, budget_tokens=40, concurrency=1)
        after = plan_cell(store, ask, beside=beside)
        register(store, "owl/v1/7", "sha-1")
        by_policy = plan_cell(store, ask, beside=beside)

    assert (before.n_requests, before.n_prompts) == (10, 5)
    assert 0 < after.n_requests == 10 - endpoint.n_answered < 10
    assert after.n_prompt_tokens == -(-after.n_requests * 2 // 4)  # prompts of two characters, four to a token
    assert by_policy.n_requests == 10  # the journals are of another
