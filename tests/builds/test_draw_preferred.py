"""The draw by verdict, on a few that can be counted by hand, and against a loop over many."""

import itertools
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsodata.builds import build_pairs, verify_build
from tsodata.builds.drawing import draw
from tsodata.builds.planning import make_plan
from tsodata.errors import EmptyPoolError, RecipeError, ShortPoolError, UsageError
from tsodata.lineage import explain_pair
from tsodata.provenance import Run, stream_seed
from tsodata.recipes import BUILT_IN, Filters, Pool, Recipe, Strata, VerdictChoice
from tsodata.records import Preference, Prompt, Response, Rubric, Source
from tsodata.store import Store

from .test_draws_by_score import hash64

WORDS = {1.0: "a-is-better", 0.75: "a-is-slightly-better", 0.5: "tie", 0.25: "b-is-slightly-better", 0.0: "b-is-better"}


def verdict(prompt, sides, preference, **fields):
    """Return a person's verdict on two answers, named by who gave them: how much the first is preferred."""
    (model_a, model_b), texts = sides, {side: fields.pop(side, f"{prompt} of {side}") for side in sides}
    return {
        "prompt": prompt,
        "model_a": model_a,
        "model_b": model_b,
        "completion_a": texts[model_a],
        "completion_b": texts[model_b],
        "completion_a_is_acceptable": "",
        "completion_b_is_acceptable": "",
        "preference": WORDS[preference],
        "evaluator": "ann",
        "comment": "",
        **fields,
    }


def people(run_import, *rows, name="people.jsonl", **options):
    numbered = [{"id": number, **row} for number, row in enumerate(rows)]
    return run_import("tulu-preferences", numbered, name=name, **options)


def judge(run_import, *rows, name="m", **options):
    """Import a model's verdicts: (prompt, chosen source, rejected source)."""
    pairs = [
        {"prompt": prompt, "chosen": f"{prompt} of {chosen}", "rejected": f"{prompt} of {rejected}",
         "chosen_model": chosen, "rejected_model": rejected}
        for prompt, chosen, rejected in rows
    ]  # fmt: skip
    return run_import("trl-pairs", pairs, name=f"{name}.jsonl", judge=name, **options)


def recipe(*, pairs_per_prompt=1, filters=None, verdicts=None, strata=None, **of_pool):
    pool = Pool(draw="preferred", **{"candidates": ("everybody",), **of_pool})
    return Recipe(
        pools={"preferences": pool},
        filters=filters or Filters(),
        verdicts=verdicts or VerdictChoice(),
        strata=strata,
        pairs_per_prompt=pairs_per_prompt,
        minibatches=1,
    )


def build(store, asked=None, name="b", **options):
    with store.run(Run("test")) as run:
        return build_pairs(store, name, recipe=asked or recipe(), run=run, **options)


def sides(store, name="b"):
    return set(
        store.sql(
            "select text, chosen_source, rejected_source from v_pairs join v_prompts using (prompt_id) "
            "where build = $name",
            {"name": name},
        ).rows()
    )


def test_the_side_that_is_preferred_is_chosen_whichever_was_named_first(store, run_import):
    people(run_import, verdict("p", "xy", 1.0), verdict("q", "xy", 0.25))

    done = build(store)

    assert sides(store) == {("p", "x", "y"), ("q", "y", "x")}
    assert (done.base, done.draws, done.test("preferences", "chosen")) == ("", {"preferences": "preferred"}, None)


def test_the_mean_over_verdicts_in_either_order_decides(store, run_import):
    people(
        run_import,
        verdict("p", "xy", 0.25),
        verdict("p", "yx", 0.0, evaluator="bob"),  # for x: 1
        verdict("p", "yx", 0.75, evaluator="cid"),  # for x: 0.25; the mean is 0.5
        verdict("q", "xy", 0.25),
        verdict("q", "yx", 0.0, evaluator="bob"),  # the mean for x is 0.625
    )

    done = build(store)

    assert sides(store) == {("q", "x", "y")}
    assert done.outcomes == {"paired": 1, "tie": 1}


def test_a_prompt_that_cannot_give_a_pair_says_why(store, run_import):
    people(
        run_import,
        verdict("good", "xy", 0.75),
        verdict("tie", "xy", 0.5),
        verdict("same", "xy", 1.0, x="alike", y="alike "),
        verdict("weak", "xy", 0.75, evaluator="bob"),
        verdict("weak", "xy", 0.5, evaluator="cid"),  # 0.625
        verdict("empty", "xy", 1.0, y=" "),
        {**verdict("unsaid", "xy", 1.0), "preference": ""},
    )
    run_import("records", [{"prompt": "alone", "model": "x", "response": "one"}])

    done = build(store, recipe(min_preference=0.75))

    assert done.outcomes == {"paired": 1, "tie": 1, "identical": 1, "min_preference": 1, "uncompared": 3}


def test_what_comes_nearest_to_a_pair_is_the_reason(store, run_import):
    people(
        run_import,
        verdict("q", "xy", 1.0, x="alike", y="alike"),
        verdict("q", "xz", 0.5, x="alike"),
        verdict("q", "yz", 0.75, y="alike"),
        verdict("p", "xy", 1.0),
    )

    assert build(store, recipe(min_preference=0.8)).outcomes == {"paired": 1, "min_preference": 1}


def test_two_answers_that_are_compared_make_a_pair_each_as_often_as_asked_for(store, run_import):
    people(run_import, *(verdict("q", pair, 1.0) for pair in ("xy", "xz", "yz")), verdict("p", "xy", 1.0))

    counts = [build(store, recipe(pairs_per_prompt=n), name=f"b{n}").n_pairs for n in (1, 2, 3, 4)]

    assert counts == [2, 3, 4, 4]
    assert sides(store, "b1") < sides(store, "b2") < sides(store, "b3") == sides(store, "b4")


def test_people_come_first_unless_the_recipe_says_otherwise(store, run_import):
    people(run_import, verdict("p", "xy", 0.75))
    judge(run_import, ("p", "y", "x"), ("q", "y", "x"))

    build(store)
    build(store, recipe(verdicts=VerdictChoice(people_first=False)), name="all")  # p for y: (0.25 + 1) / 2

    assert sides(store) == {("p", "x", "y"), ("q", "y", "x")}
    assert sides(store, "all") == {("p", "y", "x"), ("q", "y", "x")}


def test_one_judge_and_one_rubric_can_be_named(store, run_import):
    judge(run_import, ("p", "x", "y"), name="m", dataset="d")
    judge(run_import, ("p", "y", "x"), ("q", "x", "y"), name="n", dataset="e")

    build(store, recipe(verdicts=VerdictChoice(judge="m")), name="m")
    build(store, recipe(verdicts=VerdictChoice(rubric="e")), name="e")

    assert sides(store, "m") == {("p", "x", "y")}
    assert sides(store, "e") == {("p", "y", "x"), ("q", "x", "y")}
    with pytest.raises(RecipeError, match="no verdicts of judge k by rubric any; the store has m by d, n by e"):
        build(store, recipe(verdicts=VerdictChoice(judge="k")), name="k")


def test_equal_or_contrary_scores_take_nothing_from_a_verdict_but_a_limit_of_scores_does(store, run_import):
    scored = {"judge": "j", "rubric": "r"}
    for prompt, x, y in (("p", 5, 5), ("q", 3, 8), ("s", 9, 2)):
        rows = [{"prompt": prompt, "model": m, "response": f"{prompt} of {m}", "score": s, **scored}
                for m, s in (("x", x), ("y", y))]  # fmt: skip
        run_import("records", rows, name=f"{prompt}.jsonl")
    judge(run_import, ("p", "x", "y"), ("q", "x", "y"), ("s", "x", "y"))

    assert build(store).n_pairs == 3
    limited = build(store, recipe(filters=Filters(min_margin=1.0)), name="limited")
    assert (sides(store, "limited"), limited.outcomes) == ({("s", "x", "y")}, {"paired": 1, "min_margin": 2})


def test_answers_that_only_a_judge_s_prompt_shows_are_no_material(store, run_import):
    judge(run_import, ("p", "x", "y"), ("q", "x", "y"))
    shown = "select response_a_key from preferences order by prompt_key limit 1"
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.connection.execute(f"insert into shown_responses from responses where response_key = ({shown})")
        transaction.connection.execute(f"delete from responses where response_key = ({shown})")

    assert build(store).outcomes == {"paired": 1, "uncompared": 1}


def test_candidates_limit_both_sides(store, run_import):
    people(run_import, verdict("p", "xy", 1.0), verdict("p", "xz", 1.0), verdict("q", "yz", 1.0))

    build(store, recipe(candidates=("x", "z"), pairs_per_prompt=3))

    assert sides(store) == {("p", "x", "z")}


def test_no_base_is_needed_but_where_a_name_asks_for_one(store, run_import):
    people(run_import, verdict("p", "xy", 1.0))

    for asked in (BUILT_IN["tso"], recipe(candidates=("smaller",)), BUILT_IN["weighted"].with_sides(chosen=("x",))):
        with pytest.raises(UsageError, match=r"is who stands around a base model: name it with --base"):
            build(store, asked)
    with pytest.raises(UsageError, match="--versions orders the family of a base model"):
        build(store, versions=["v1", "v2"])


def test_labels_alone_can_be_weighed_or_scored_without_a_base(store, run_import):
    scores = {"x": 3, "y": 8}
    rows = [
        {"prompt": "p", "model": m, "response": m, "judge": "j", "rubric": "r", "score": s} for m, s in scores.items()
    ]
    run_import("records", rows)
    weighed = Recipe(pools={"matrix": Pool(chosen={"y": 1.0}, rejected={"x": 1.0})}, minibatches=1)
    scored = Recipe(pools={"matrix": Pool(draw="max_min", candidates=("everybody",))}, minibatches=1)

    build(store, weighed, name="weighed")
    build(store, scored, name="scored")

    assert sides(store, "weighed") == sides(store, "scored") == {("p", "y", "x")}
    assert verify_build(store, "weighed").is_equal
    with pytest.raises(EmptyPoolError, match="the recipe has no chosen source in the store"):
        build(store, Recipe(pools={"matrix": Pool(chosen={"human": 1.0}, rejected={"x": 1.0})}), name="c")


def test_strata_targets_and_the_snapshot_hold_as_for_other_draws(store, run_import):
    people(run_import, *(verdict(f"p{i}", "xy", 1.0) for i in range(6)), name="d1.jsonl", dataset="d1")
    people(run_import, *(verdict(f"q{i}", "xy", 1.0) for i in range(4)), name="d2.jsonl", dataset="d2")

    by_set = build(store, recipe(strata=Strata("dataset")))
    with pytest.raises(ShortPoolError) as short:
        build(store, recipe().with_options(n=20), name="short")
    people(run_import, *(verdict(f"p{i}", "yx", 1.0, evaluator="late") for i in range(6)), name="late.jsonl")

    assert [(row.stratum, row.realised) for row in by_set.strata] == [("d1", 4), ("d2", 4)]
    assert (short.value.shortfall.reachable, short.value.shortfall.pools[0].unanswered) == (10, {})
    assert verify_build(store, "b").is_equal


def test_verdicts_stand_beside_another_pool(store, run_import):
    cell = {"family": "m", "version": "v2", "size": "7", "judge": "j", "rubric": "r"}
    run_import("records", [{"prompt": "s", "response": f"{i}", "sample": i, "score": i + 1, **cell} for i in range(3)])
    people(run_import, verdict("p", "xy", 1.0))
    halves = {
        "preferences": Pool(share=0.5, draw="preferred", candidates=("everybody",)),
        "self": Pool(share=0.5, draw="max_min"),
    }

    done = build(store, Recipe(pools=halves, minibatches=1), base="m/v2/7")

    assert done.n_pairs == 2
    assert {(share.pool, share.source) for share in done.shares if share.realised} == {
        ("preferences", "x"), ("preferences", "y"), ("self", "m/v2/7"),
    }  # fmt: skip


def test_the_story_goes_down_to_the_verdict_s_words(store, run_import):
    people(run_import, verdict("q", "xy", 0.75, comment="clearer"), verdict("q", "yz", 0.5, evaluator="bob"))
    build(store, recipe(verdicts=VerdictChoice(rubric="tulu-preference")))
    pair = store.sql("select pair_id from v_pairs").item()

    told = explain_pair(store, pair)

    (story,) = told["builds"]
    (first, second) = sorted(story["draw"]["compared"], key=lambda row: -row["preference"])
    assert (first["source"], first["against"], first["preference"], second["preference"]) == ("x", "y", 0.75, 0.5)
    assert story["why"] == (
        "preferred by 0.7500 of 1, the mean over verdicts (n = 1) of all judges by tulu-preference, people's alone "
        f"where they compared them; number 1 in a random order (u = {first['number']:.4f}, seed 43) of 2 compared"
    )
    assert told["chosen"]["preferences"][0]["raw"] == "a-is-slightly-better\nclearer"


def loop(verdicts, n_rounds, seed):
    """Return the pairs by the words of the law: {prompt: [(chosen, rejected), …]}, keys."""
    found = defaultdict(list)
    for prompt, a, b, preference in verdicts:
        one, other = sorted((a, b))
        found[prompt, one, other].append(round(preference * 1e6) if a == one else 10**6 - round(preference * 1e6))
    drawn = defaultdict(list)
    for (prompt, one, other), millionths in found.items():
        balance = sum(millionths) * 2 - len(millionths) * 10**6
        if balance:
            drawn[prompt].append((one, other) if balance > 0 else (other, one))
    return {
        prompt: set(sorted(pairs, key=lambda pair: hash64(pair[0] ^ pair[1], seed))[:n_rounds])
        for prompt, pairs in drawn.items()
    }


def drawn_sets(store, n_rounds):
    asked = recipe(pairs_per_prompt=n_rounds)
    with store.reader() as reader:
        snapshot = reader.snapshot()
        draw(reader, make_plan(reader, None, asked, snapshot, None), snapshot.commit_seq)
        rows = reader.connection.execute(
            "select prompt_key, chosen_key, rejected_key from drawn where reason is null"
        ).fetchall()
    found = defaultdict(set)
    for prompt, chosen, rejected in rows:
        found[prompt].add((chosen, rejected))
    return found


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_the_sql_draws_what_a_loop_over_the_verdicts_draws(tmp_path_factory, seed, n_rounds):
    rng, store = random.Random(seed), Store.open(tmp_path_factory.mktemp("law") / "s.duckdb", create=True)
    who, rubric = [Source.model(name) for name in "abcd"], Rubric("r", kind="pairwise")
    prompts = [Prompt.of_user(f"q{i}") for i in range(12)]
    answers = [[Response(p.prompt_key, s.source_key, f"{s.label} {p.text}") for s in who] for p in prompts]
    preferences = []
    for prompt, given_ in zip(prompts, answers, strict=True):
        for number in range(rng.randint(0, 12)):
            one, other = (answer.response_key for answer in rng.sample(given_, 2))
            value = rng.choice([0.0, 0.1, 1 / 3, 0.5, 2 / 3, 0.9, 1.0])
            preferences.append(
                Preference(None, prompt.prompt_key, one, other, f"j{number}", "model", rubric.rubric_key, value, False)
            )
    records = {
        Source: who,
        Rubric: [rubric],
        Prompt: prompts,
        Response: list(itertools.chain(*answers)),
        Preference: preferences,
    }
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.append({kind: rows for kind, rows in records.items() if rows})

    told = [(p.prompt_key, p.response_a_key, p.response_b_key, p.preference) for p in preferences]
    assert drawn_sets(store, n_rounds) == loop(told, n_rounds, stream_seed(43, "preferences", "chosen"))
