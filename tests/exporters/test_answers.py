"""Builds that hold answers: written as conversations for supervised tuning, and as ranked lists."""

from collections import Counter
from dataclasses import replace

import pytest
from pyarrow import parquet

from tsodata.errors import ExportRefusedError, UsageError
from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run
from tsodata.store import Store

TRAIN = "data/train-00000-of-00001.parquet"


@pytest.fixture
def export(tmp_path):
    """Export the build of a store, and return the report, the rows and the ids beside them."""

    def export_to_out(store, to):
        report = export_build(store, "first", to=to, out=tmp_path / "out" / to, run=Run("test"))
        rows = parquet.ParquetFile(report.directory / TRAIN).read().to_pylist()
        ids = [path.read_text().splitlines() for path in report.directory.glob("*_ids/train.txt")]
        return report, rows, (ids[0] if ids else None)

    return export_to_out


@pytest.fixture
def store_of(tmp_path, add_answers_build):
    def make(*specs):
        store = Store.open(tmp_path / "of.duckdb", create=True)
        add_answers_build(store, "first", specs)
        return store

    return make


def test_sft_writes_each_answer_behind_its_prompt_without_blank_edges(export, answers_store, answers):
    report, rows, ids = export(answers_store, "sft")

    assert (report.unit, report.written, report.rows) == ("answers", {"train": 4, "test": 2}, {"train": 4, "test": 2})
    by_id = dict(zip(ids, rows, strict=True))
    assert by_id[answers["best"].response_id]["messages"] == [
        {"role": "user", "content": "How high is Mont Blanc?"},
        {"role": "assistant", "content": "4,806 metres."},
    ]
    assert [turn["role"] for turn in by_id[answers["with_system"].response_id]["messages"]] == [
        "system",
        "user",
        "assistant",
    ]


def test_sft_refuses_empty_answers_and_prompts_with_own_turns(export, store_of, answers, refused_answers):
    report, _, _ = export(store_of(*answers.values(), *refused_answers), "sft")

    assert report.refused == Counter(prompt_has_own_turns=1, answer_is_empty=1)
    assert sum(report.written.values()) == len(answers)


def test_sft_of_pairs_writes_each_chosen_answer_once(export, make_store, pairs):
    again = replace(pairs["single"], rejected="Very high.")
    report, rows, ids = export(make_store(pairs["single"], again, pairs["multi_turn"]), "sft")

    assert (report.unit, report.written) == ("pairs", {"train": 2})
    assert report.refused == Counter(chosen_is_there_already=1)
    assert sorted(row["messages"][-1]["content"] for row in rows) == ["4,806 metres.", "Pear."]
    assert ids == sorted([min(pairs["single"].pair_id, again.pair_id), pairs["multi_turn"].pair_id])


def test_ranked_lists_stand_best_first_with_scores_sources_and_ids_side_by_side(export, answers_store, answers):
    report, rows, ids = export(answers_store, "ranked")

    assert (report.written, report.rows) == ({"train": 4, "test": 2}, {"train": 2, "test": 1})
    assert ids is None
    row = next(row for row in rows if len(row["prompt"]) == 1)
    assert (row["responses"], row["scores"]) == (["4,806 metres.", "High."], [9.0, 3.5])
    assert row["sources"] == ["base/-/13", "base/-/7"]
    assert row["response_ids"] == [answers["best"].response_id, answers["second"].response_id]


def test_ranked_lists_refuse_equal_texts_and_answers_without_company(
    export, store_of, answers, refused_answers, refused_in_lists
):
    report, rows, _ = export(store_of(*answers.values(), *refused_answers, *refused_in_lists), "ranked")

    assert report.refused == Counter(
        prompt_has_own_turns=1, answer_is_empty=1, equals_a_better_answer=1, alone_on_its_prompt=1
    )
    assert sum(report.written.values()) == len(answers)
    assert sorted(len(row["responses"]) for row in rows) == [2, 2]


def test_a_build_of_single_answers_cannot_be_ranked_and_says_why(export, store_of, answers):
    with pytest.raises(ExportRefusedError) as caught:
        export(store_of(answers["best"], answers["with_system"]), "ranked")

    assert str(caught.value) == ("build 'first' has no training answer that can be written (alone_on_its_prompt 2)")


@pytest.mark.parametrize("to", [name for name in FORMATS if name not in ("sft", "ranked")])
def test_a_format_of_pairs_refuses_a_build_of_answers(answers_store, tmp_path, to):
    with pytest.raises(UsageError) as caught:
        export_build(answers_store, "first", to=to, out=tmp_path / "out", run=Run("test"))

    assert str(caught.value) == (f"build 'first' holds answers, and {to} takes pairs; write it as sft or ranked")


def test_ranked_refuses_a_build_of_pairs(store, tmp_path):
    with pytest.raises(
        UsageError, match=r"holds pairs, and ranked takes answers; write it as trl or h4 or .* or jsonl"
    ):
        export_build(store, "first", to="ranked", out=tmp_path / "out", run=Run("test"))


def test_sft_refuses_ranked_lists_since_their_last_answers_are_the_worst(tmp_path, add_answers_build, answers):
    store = Store.open(tmp_path / "ranked.duckdb", create=True)
    add_answers_build(store, "first", answers.values(), recipe='{"pools":{"matrix":{"draw":"ranked"}}}')

    for to in ("sft", "trl"):
        with pytest.raises(UsageError, match=r"holds ranked lists, worst answers and all; write it as ranked$"):
            export_build(store, "first", to=to, out=tmp_path / "out", run=Run("test"))
    assert export_build(store, "first", to="ranked", out=tmp_path / "out", run=Run("test")).rows == {
        "train": 2,
        "test": 1,
    }
