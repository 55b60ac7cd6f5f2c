"""Builds that keep to the base's answers of one policy, and to the prompts of another build's minibatch."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from tsodata.builds import rebuild, verify_build
from tsodata.builds.policies import GivenBy
from tsodata.errors import RecipeError, UnknownNameError, UsageError
from tsodata.lineage import explain_pair
from tsodata.provenance import Run, format_id
from tsodata.recipes import Filters, Pool, Recipe
from tsodata.records import Settings

from .conftest import answers, build, complete, of_base, texts

OLD, NEW, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
SCORES = {OLD: {0: 3, 1: 9, 2: 5, 3: 7}, NEW: {4: 2, 5: 8, 6: 6, 7: 4}}  # by position of the answer


def given(prompt="q", **cell):
    """Return eight answers to a prompt: the first four of the old policy, the others of the new."""
    rows = list(answers(prompt, [*SCORES[OLD].values(), *SCORES[NEW].values()], **cell))
    return [{**row, "settings": {"revision": OLD if row["sample"] < 4 else NEW}} for row in rows]


@pytest.fixture
def filled(store, run_import):
    run_import("records", given())
    register(store, (1, "a/1", OLD), (2, "a/2", NEW))
    return store


def register(store, *policies):
    row = {"kind": "policy", "path": "p", "source_key": None, "parent_keys": []}
    found = [{**row, "artefact_key": key, "name": name, "artefact_sha256": sha256} for key, name, sha256 in policies]
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        schema = transaction.connection.sql("select * exclude (commit_seq) from artefacts").to_arrow_table().schema
        transaction.insert("artefacts", pa.Table.from_pylist(found, schema))


def say_again(store, text, revision, *, failure=None):
    """Add the call by which a policy came to words that stand there already."""
    settings = Settings.of({"revision": revision})
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.append({Settings: [settings]})
        rows = transaction.connection.execute("select response_key, prompt_key from responses where text = ?", [text])
        ((response_key, prompt_key),) = rows.fetchall()
        keys = {"call_key": response_key, "request_key": 1, "prompt_key": prompt_key, "response_key": response_key}
        row = {**keys, "settings_key": settings.settings_key, "task": "generate", "failure": failure}
        schema = transaction.connection.sql("select * exclude (commit_seq) from calls").to_arrow_table().schema
        call = {**row, "engine": "e", "model": "m", "attempt": 1}
        transaction.insert("calls", pa.Table.from_pylist([call], pa.schema([schema.field(name) for name in call])))


def again(store):
    """Let the new policy say word for word what the old one had scored 9 for."""
    say_again(store, "q of v2 7 answer 1", NEW)


def drawn(store, draw, policy, name="b", **settings):
    """Return the positions of the answers that a draw takes: chosen and rejected, or by place."""
    build(store, name, of_base(draw, policy=policy, **settings))
    if rows := texts(store, name):
        return [(int(chosen[-1]), int(rejected[-1])) for _, chosen, rejected in rows]
    listed = (
        "select text from v_build_responses join v_responses using (response_id) where build = $name order by place"
    )
    return [int(text[-1]) for (text,) in store.sql(listed, {"name": name}).rows()]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"draw": "max_min"}, ([(1, 0)], [(5, 4)], [(1, 4)])),
        ({"draw": "max_second"}, ([(1, 3)], [(5, 6)], [(1, 5)])),
        ({"draw": "rso", "beta": 0.01}, ([(1, 3)], [(5, 6)], [(1, 5)])),
        ({"draw": "best_of_n", "keep": 2}, ([1, 3], [5, 6], [1, 5])),
        ({"draw": "threshold", "min_score": 7.0}, ([1, 3], [5], [1, 5])),
        ({"draw": "ranked"}, ([1, 3, 2, 0], [5, 6, 7, 4], [1, 5, 6, 7, 4])),
    ],
)
def test_a_draw_takes_what_its_policy_gave_or_gave_again(filled, how, expected):
    of_old, of_new, of_new_with_9_again = expected
    assert drawn(filled, policy="a/1", name="old", **how) == of_old
    assert drawn(filled, policy="a/2", name="new", **how) == of_new

    again(filled)

    assert drawn(filled, policy="a/2", name="again", **how) == of_new_with_9_again
    assert drawn(filled, policy="a/1", name="as before", **how) == of_old
    assert verify_build(filled, "new").is_equal
    assert verify_build(filled, "again").is_equal


def test_the_opponents_of_the_best_are_the_policys(store, run_import):
    run_import("records", [row for number in range(40) for row in given(f"q{number}")])

    pairs = drawn(store, "max_random", NEW)

    assert {chosen for chosen, _ in pairs} == {5}
    assert {rejected for _, rejected in pairs} == {4, 6, 7}


def test_a_weighted_draw_expects_and_takes_the_policys_answers_alone(store, run_import):
    old_alone = [row for row in given("q0") if row["sample"] < 4]
    older = [{"prompt": f"q{i}", "response": f"older {i}", "family": "m", "version": "v1", "size": 7} for i in (0, 1)]
    people = [{"prompt": f"q{i}", "human": "true", "response": f"people {i}"} for i in (0, 1)]
    run_import("records", [*old_alone, *given("q1"), *older, *people])
    pool = Pool(chosen={"human": 1.0}, rejected={"base": 0.75, "older": 0.25}, policy=NEW)

    done = build(store, recipe=Recipe(pools={"matrix": pool}, minibatches=1))

    expected = {share.source: share.expected for share in done.side("matrix", "rejected")}
    assert expected == {"m/v2/7": 0.75, "m/v1/7": 1.25}  # on q0 the policy has said nothing
    rejected = dict(store.sql("select c.text, r.text from pairs p join responses c on c.response_key = p.chosen_key "
                              "join responses r on r.response_key = p.rejected_key").rows())  # fmt: skip
    assert rejected["people 0"] == "older 0"
    assert rejected["people 1"] in {"older 1", *(f"q1 of v2 7 answer {position}" for position in SCORES[NEW])}
    assert verify_build(store, "b").is_equal
    (pair_id,) = store.sql("select pair_id from v_pairs join v_prompts using (prompt_id) where text = 'q1'").to_series()
    (story,) = explain_pair(store, pair_id)["builds"]
    assert len(story["draw"]["rejected"]) == 1 + len(SCORES[NEW])


def test_other_sources_and_other_pools_are_not_touched(filled, run_import):
    run_import("records", [*answers("q", [10], version="v1"), {"prompt": "q", "human": "true", "response": "people"}])
    both = Recipe(pools={"self": Pool(draw="max_min", candidates=("base", "older"), policy="a/2")}, minibatches=1)

    build(filled, "both", both)

    assert texts(filled, "both") == [(1, "q of v1 7 answer 0", "q of v2 7 answer 4")]


def test_only_an_accepted_call_of_this_policy_counts(filled):
    say_again(filled, "q of v2 7 answer 1", NEW, failure="timeout")
    say_again(filled, "q of v2 7 answer 3", OTHER)

    assert drawn(filled, "ranked", "a/2") == [5, 6, 7, 4]


def test_a_prompt_without_answers_of_the_policy_is_counted_as_unanswered(filled, run_import):
    run_import("records", [row for row in given("old alone") if row["sample"] < 4])

    done = build(filled, recipe=of_base("max_min", policy="a/2"))

    assert done.outcomes == {"paired": 1, "no_answers": 1}


def test_what_settings_and_calls_tell_is_part_of_the_builds_id(filled):
    first = build(filled, "first", of_base("max_min", policy=NEW))
    again(filled)
    second = build(filled, "second", of_base("max_min", policy=NEW))

    assert first.snapshot_id == second.snapshot_id  # calls are no material, and yet they decide
    assert first.build_id != second.build_id
    resolved = json.loads(filled.sql("select resolved from v_builds where build = 'first'").item())
    keys = filled.sql("select bit_xor(response_key) from responses where sample_index > 3").item()
    assert resolved["policies"] == {"self": GivenBy(NEW, 4, f"{keys:016x}")._asdict()}


def test_a_policy_goes_by_its_name_its_id_or_its_hash(filled):
    for policy in ("a/2", format_id("artefact", 2), NEW):
        assert drawn(filled, "max_min", policy, policy) == [(5, 4)]


def test_a_rebuild_finds_the_policy_again(filled):
    drawn(filled, "max_min", "a/2")
    again(filled)

    with filled.run(Run("test")) as run:
        rebuild(filled, "b", "today", run=run)

    assert [row[1:] for row in texts(filled, "today")] == [("q of v2 7 answer 1", "q of v2 7 answer 4")]


def test_a_policy_that_cannot_be_meant_is_told(filled, run_import):
    register(filled, (3, "a/2", OTHER))

    with pytest.raises(UnknownNameError, match=r"no policy 'z/1'; the latest of the store are: a/2, a/1"):
        drawn(filled, "max_min", "z/1")
    with pytest.raises(UnknownNameError, match=r"no policy 'dddd"):
        drawn(filled, "max_min", "d" * 64)
    with pytest.raises(
        RecipeError, match=r"policy 'a/2' stands for 2 weights: name one by its id \(art1-0+2, art1-0+3"
    ):
        drawn(filled, "max_min", "a/2")
    run_import("records", [{"prompt": "q", "human": "true", "response": "people"}])
    with pytest.raises(RecipeError, match=r"pool self draws none of m/v2/7's answers, so policy = 'a/1' says nothing"):
        drawn(filled, "max_min", "a/1", candidates=("human",))


def test_a_policy_without_a_base_is_told(filled):
    recipe = of_base("max_min", policy="a/1", candidates=("everybody",))

    with pytest.raises(RecipeError, match="pool self is for the base's answers of policy 'a/1': name the base"):
        build(filled, recipe=recipe, base=None)


@pytest.fixture
def in_three(store, run_import):
    """Return a store whose build `a` has three minibatches of three prompts."""
    run_import("records", [row for number in range(9) for row in given(f"q{number}")])
    build(store, "a", of_base("max_min", minibatches=3))
    return store


@pytest.mark.parametrize("name", ["a", "of answers"])
def test_a_build_keeps_to_the_prompts_of_anothers_minibatch(in_three, name):
    build(in_three, "of answers", complete("best_of_n").with_options(minibatches=3))
    recipe = replace(of_base("ranked"), filters=Filters(build=name, minibatch=2))

    done = build(in_three, "kept", recipe)

    table = "v_pairs" if name == "a" else "v_build_responses"
    wanted = in_three.sql(f"select prompt_id from {table} where build = $name and minibatch = 2", {"name": name})
    found = in_three.sql("select distinct prompt_id from v_build_responses where build = 'kept'")
    assert set(found.rows()) == set(wanted.rows())
    assert done.outcomes == {"selected": 3, "minibatch": 6}
    assert verify_build(in_three, "kept").is_equal


def test_a_minibatch_that_is_not_there_is_told(in_three):
    with pytest.raises(UsageError, match="build 'a' has the minibatches 1 to 3, not 4"):
        build(in_three, "kept", replace(of_base("ranked"), filters=Filters(build="a", minibatch=4)))
    with pytest.raises(UnknownNameError, match="no build 'z'; the store has: a"):
        build(in_three, "kept", replace(of_base("ranked"), filters=Filters(build="z", minibatch=1)))
