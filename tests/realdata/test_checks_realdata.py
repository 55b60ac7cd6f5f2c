"""A store of real answers, verdicts and pairs breaks no rule."""

import pytest

from tsodata.builds import build_pairs
from tsodata.checks import check_store
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN, Filters
from tsodata.store import Store

pytestmark = pytest.mark.realdata
PARTS = [
    ("alpaca-eval", "alpaca_eval/model_outputs/*"),
    ("alpaca-eval-annotations", "alpaca_eval/annotations/weighted*/vicuna-*"),
    ("self-instruct", "self_instruct/user*"),
    ("qlora", "qlora_vicuna80/generations/vicuna/*"),
    ("qlora-ratings", "qlora_vicuna80/ratings-gpt4/vicuna/*/*"),
]


def test_the_matrix_of_sixteen_models_is_clean_but_for_a_judge_that_left_its_scale(realdata, tmp_path):
    store = Store.open(tmp_path / "s.duckdb", create=True)
    recipe = BUILT_IN["weighted"].with_options(filters=Filters(answered_by=("human",)))
    with store.run(Run("test")) as run:
        for name, pattern in PARTS:
            options = ImportOptions(models=realdata / "MODELS.csv")
            import_files(store, name, sorted(realdata.glob(pattern)), run=run, options=options)
        build_pairs(store, "b", base="vicuna/v1.5/13", recipe=recipe, run=run)

    report = check_store(store)

    assert report.is_clean
    # QLoRA's judge gave 0 of 1 to 10 to the answers that it did not see
    assert [(finding.check.name, finding.n_rows) for finding in report.findings] == [("judges-off-scale", 11)]
