"""The main job on real answers: the matrix, the pairs, their story, and the same pairs from another order."""

import pytest

from tsodata.builds import build_pairs, diff_builds, verify_build
from tsodata.coverage import load_matrix
from tsodata.importers import ImportOptions, import_files
from tsodata.lineage import explain_pair
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN, Filters, Strata
from tsodata.store import Store

pytestmark = pytest.mark.realdata
PARTS = [
    ("alpaca-eval", "alpaca_eval/model_outputs/vicuna*"),
    ("alpaca-eval-annotations", "alpaca_eval/annotations/weighted*/vicuna-*v1.[35].json.gz"),
    ("self-instruct", "self_instruct/user*"),
]


def filled(realdata, path, parts):
    store = Store.open(path, create=True)
    options = ImportOptions(models=realdata / "MODELS.csv")
    with store.run(Run("test")) as run:
        for form, pattern in parts:
            import_files(store, form, sorted(realdata.glob(pattern)), run=run, options=options)
    return store


def build(store, name="b", recipe=BUILT_IN["weighted"]):
    recipe = recipe.with_options(filters=Filters(answered_by=("human",)))
    with store.run(Run("test")) as run:
        return build_pairs(store, name, base="vicuna/v1.5/13", recipe=recipe, run=run)


def test_vicuna_pairs_follow_the_weights_can_be_explained_and_rebuilt(realdata, tmp_path):
    first = filled(realdata, tmp_path / "first.duckdb", PARTS)
    second = filled(realdata, tmp_path / "second.duckdb", PARTS[::-1])
    with first.reader() as reader:
        matrix = load_matrix(reader, "vicuna/v1.5/13")
    done, again = build(first), build(second)
    pairs = "select pair_id, minibatch, rejected_source from v_pairs order by pair_id"

    assert {source.label for source in matrix.chosen} == {"human", "vicuna/v1.3/33"}
    assert {s.label for s in matrix.rejected} == {
        f"vicuna/{v}" for v in ("pre-1.3/13", "v1.3/13", "pre-1.3/7", "v1.3/7", "v1.5/7")
    }
    assert (done.n_pairs, done.build_id) == (252, again.build_id)
    assert first.sql(pairs).rows() == second.sql(pairs).rows()
    assert all(done.test("matrix", side).p > 0.01 for side in ("chosen", "rejected"))
    judged = first.sql("select pair_id from v_pairs where rejected_source = 'vicuna/v1.3/7' order by 1 limit 1").item()
    assert "logprob" in explain_pair(first, judged)["rejected"]["preferences"][0]["raw"]


def test_vicuna_pairs_of_one_negative_are_equal_when_drawn_again_after_the_whole_matrix_came(realdata, tmp_path):
    store = filled(realdata, tmp_path / "s.duckdb", PARTS)
    one = build(store, "one", BUILT_IN["single_negative"].with_sides(rejected=("vicuna/v1.3/7",)))
    strata = build(store, "strata", BUILT_IN["human_vs_weak"].with_options(strata=Strata("dataset")))
    filled(realdata, store.path, [("alpaca-eval", "alpaca_eval/model_outputs/*")])

    assert (one.n_pairs, one.outcomes["identical"], strata.n_pairs) == (251, 1, 252)
    assert [tuple(row) for row in strata.strata] == [("matrix", "selfinstruct", 1.0, 252, 252)]
    assert verify_build(store, "one").is_equal
    assert verify_build(store, "strata").is_equal
    counts = diff_builds(store, "one", "strata").counts
    assert (counts["kept"] + counts["removed"], counts["kept"] + counts["added"]) == (251, 252)
