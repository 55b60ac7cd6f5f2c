"""What `datasets.load_dataset` makes of an export: its splits, its rows, its types, nothing else."""

from dataclasses import replace

import pytest

from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run

SPLITS = {
    "h4": {"train_prefs": 3, "test_prefs": 1},
    "kto": {"train": 6, "test": 2},
    "ranked": {"train": 2, "test": 1},
}
PAIR_FORMATS = [name for name in FORMATS if name != "ranked"]


@pytest.fixture
def load(datasets, tmp_path):
    """Export the build of a store, always to the same directory, and load it."""
    out = tmp_path / "train-set" / "test"  # words that datasets takes for splits

    def export_and_load(store, to, **options):
        export_build(store, "first", to=to, out=out, run=Run("test"), **options)
        return datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))

    return export_and_load


@pytest.mark.parametrize("to", FORMATS)
def test_each_format_loads_with_its_splits_and_columns(store_for, load, to):
    loaded = load(store_for(to), to)

    assert loaded.num_rows == SPLITS.get(to, {"train": 3, "test": 1})
    columns = [field.name for field in FORMATS[to].schema()]
    assert all(split.column_names == columns for split in loaded.values())


@pytest.mark.parametrize("to", PAIR_FORMATS)
def test_a_build_without_held_out_pairs_loads_as_one_split(make_store, load, pairs, to):
    store = make_store(pairs["single"], pairs["multi_turn"])

    assert load(store, to).num_rows == {FORMATS[to].train: 4 if to == "kto" else 2}


def test_what_is_loaded_is_what_was_stored(store, load, pairs):
    rows = {row["pair_id"]: row for row in load(store, "jsonl")["train"]}

    row = rows[pairs["with_system"].pair_id]
    assert row["prompt"] == list(pairs["with_system"].prompt.messages)
    assert (row["chosen"], row["rejected"]) == ("Hello — 你好\u2028!", "Hi there, dear friend")


@pytest.mark.parametrize("to", ["h4", "parquet", "jsonl"])
@pytest.mark.parametrize("unscored", ["single", "held_out"])
def test_scores_missing_from_a_whole_split_stay_numbers(make_store, load, pairs, to, unscored):
    specs = {name: pairs[name] for name in ("single", "held_out")}
    specs[unscored] = replace(specs[unscored], chosen_score=None, rejected_score=None)

    loaded = load(make_store(*specs.values()), to)

    column = "score_chosen" if to == "h4" else "chosen_score"
    train, test = loaded[FORMATS[to].train], loaded[FORMATS[to].held_out]
    assert (train[0][column], test[0][column]) == (specs["single"].chosen_score, specs["held_out"].chosen_score)
    assert {train.features[column].dtype, test.features[column].dtype} == {"float64"}


@pytest.mark.parametrize("to", FORMATS)
def test_an_overwritten_export_is_not_served_from_the_cache(store_for, load, to):
    store = store_for(to)
    load(store, to)

    loaded = load(store, to, minibatch=1, overwrite=True)

    assert loaded.num_rows == {FORMATS[to].train: 2 if to == "kto" else 1}
