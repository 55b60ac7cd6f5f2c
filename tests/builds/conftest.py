"""Stores to draw from: a small one that is imported, and one large enough for frequencies and for two threads.

m/v2/7 is the base, with four scored samples a prompt; four cells and people stand around it, with one answer each.
"""

import pytest

from tsodata.builds import build_pairs
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN, Pool, Recipe
from tsodata.records import Rubric, Source
from tsodata.store import Store

BASE = "m/v2/7"
CELLS = [("v1", 7.0), ("v2", 7.0), ("v1", 1.0), ("v2", 1.0), ("v2", 13.0)]
N_SAMPLES = 4  # of the base
N_MANY = 15_000  # prompts: 135 000 answers are two row groups, so that two threads have work


def complete(name):
    """Return a built-in recipe with what it leaves open stated."""
    recipe = BUILT_IN[name]
    if name == "single_negative":
        return recipe.with_sides(rejected=("m/v1/7",))
    return recipe.with_min_score(8.0) if name == "threshold" else recipe


def build(store, name="b", recipe=BUILT_IN["weighted"], **options):
    with store.run(Run("test")) as run:
        return build_pairs(store, name, recipe=recipe, run=run, **{"base": BASE, **options})


def of_base(draw, *, pairs_per_prompt=1, minibatches=1, **settings):
    """Return a recipe of one pool over the base's answers."""
    pool = Pool(draw=draw, **settings)
    return Recipe(pools={"self": pool}, pairs_per_prompt=pairs_per_prompt, minibatches=minibatches)


def sources():
    found = [Source.people(), *(Source.model("m", version, size) for version, size in CELLS)]
    return found, Source.model("m", "v2", 7.0)


def fill(store, n_prompts):
    """Fill a store with made-up answers by SQL: scores from 1 to 10, few of them equal, people unscored.

    Equal scores would take pairs from the scored sources alone, and so shift the shares away from their weights.
    """
    (everybody, base), rubric = sources(), Rubric("r", scale_min=1, scale_max=10)
    with store.run(Run("fill")) as run, store.transaction(run) as transaction:
        transaction.append({Source: everybody, Rubric: [rubric]})
        seq, execute = transaction.commit_seq, transaction.connection.execute
        execute(
            "insert into prompts select tso_hash64(i, 1), [{'role': 'user', 'content': i::varchar}], i::varchar, 1, "
            f"false, {seq} from range({n_prompts}) t(i)"
        )
        execute(
            "insert into prompt_origins select tso_hash64(i, 2), tso_hash64(i, 1), 'set ' || i % 3, null, "
            f"case when i % 4 = 0 then [] when i % 4 = 1 then ['code', 'maths'] else ['maths'] end, {seq} "
            f"from range({n_prompts}) t(i)"
        )
        for number, source in enumerate(everybody):
            n_samples = N_SAMPLES if source == base else 1
            execute(
                f"insert into responses select tso_hash64(i * 100 + s, {10 + number}), tso_hash64(i, 1), "
                f"{source.source_key}, 'a', tso_hash64(i * 100 + s, {10 + number}), 1 + i % 40, false, s, null, null, "
                f"null, null, null, {seq} from range({n_prompts}) t(i), range({n_samples}) u(s)"
            )
        execute(
            "insert into scores select tso_hash64(response_key, 3), null, prompt_key, source_key, response_key, 'j', "
            f"'model', {rubric.rubric_key}, 'all', 0, 1 + tso_hash64(response_key, 4) % 9001 / 1000, null, 'imported', "
            f"{seq} from responses where source_key <> {Source.people().source_key}"
        )
        for number in range(len(everybody) - 1):
            keys = [f"tso_hash64(i * 100, {10 + number + side})" for side in (0, 1)]
            execute(
                f"insert into preferences select tso_hash64(i, {60 + number}), null, tso_hash64(i, 1), {keys[0]}, "
                f"{keys[1]}, 'j', 'model', {rubric.rubric_key}, tso_hash64(i, {70 + number}) % 5 / 4, false, null, "
                f"'imported', {seq} from range({n_prompts}) t(i)"
            )
        transaction.touched.update(("prompts", "prompt_origins", "responses", "scores", "preferences"))
    return store


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    return fill(Store.open(tmp_path_factory.mktemp("many") / "s.duckdb", create=True), N_MANY)


def answers(prompt, scores, **known):
    """Return rows of the base's answers to a prompt, one for each score; None is an answer without one."""
    cell = {"family": "m", "version": "v2", "size": "7", **known}
    for position, score in enumerate(scores):
        text = f"{prompt} of {cell['version']} {cell['size']} answer {position}"
        row = {"prompt": prompt, "response": text, "sample": position, **cell}
        yield row if score is None else {**row, "judge": "j", "rubric": "r", "score": score}


def score_all_alike(store, n_prompts, scores):
    """Fill a store with the base's answers alone, which score the same on every prompt."""
    (everybody, base), rubric = sources(), Rubric("r", scale_min=1, scale_max=10)
    with store.run(Run("fill")) as run, store.transaction(run) as transaction:
        transaction.append({Source: everybody, Rubric: [rubric]})
        seq, execute = transaction.commit_seq, transaction.connection.execute
        execute(
            "insert into prompts select tso_hash64(i, 1), [{'role': 'user', 'content': i::varchar}], i::varchar, 1, "
            f"false, {seq} from range({n_prompts}) t(i)"
        )
        for sample, score in enumerate(scores):
            key = f"tso_hash64(i, {10 + sample})"
            execute(
                f"insert into responses select {key}, tso_hash64(i, 1), {base.source_key}, '{sample}', {key}, 1, "
                f"false, {sample}, null, null, null, null, null, {seq} from range({n_prompts}) t(i)"
            )
            execute(
                f"insert into scores select tso_hash64(i, {50 + sample}), null, tso_hash64(i, 1), {base.source_key}, "
                f"{key}, 'j', 'model', {rubric.rubric_key}, 'all', 0, {score}, null, 'imported', {seq} "
                f"from range({n_prompts}) t(i)"
            )
        transaction.touched.update(("prompts", "responses", "scores"))
    return store


def texts(store, name="b"):
    """Return the texts of a build's pairs, chosen first, by prompt and round."""
    return store.sql(
        "select p.round, c.text, r.text from v_pairs p join v_responses c on c.response_id = p.chosen_response_id "
        "join v_responses r on r.response_id = p.rejected_response_id where p.build = $name "
        "order by p.prompt_id, p.round",
        {"name": name},
    ).rows()
