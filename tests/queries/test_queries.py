"""Every named query on a small store, against the rows written down for it.

`TSO_UPDATE_GOLDEN=1 pytest tests/queries` writes them anew; read the difference before you keep it.
"""

import os
from pathlib import Path

import pytest

from tsodata import queries
from tsodata.errors import QueryError, UsageError
from tsodata.provenance import format_id

from .conftest import LLAMA_A2, PAIRS, POLICY_KEY, STAGE_KEY, YES_BASE_SHOWN

GOLDEN = Path(__file__).parent / "golden"
VOLATILE = ("committed_at", "ended_at")  # the clock's

CALLS = {
    "alpaca-eval-win-rate": {},
    "alpaca-eval-win-rate.one-model": {"judge": "j1", "model": "a2-7b"},
    "arena-hard-win-rate": {"baseline": "answer_gpt35"},
    "build-diff": {"before": "demo", "after": "demo-again"},
    "build-diff.kept": {"before": "demo", "after": "demo-again", "change": "kept"},
    "build-shares": {"build": "demo"},
    "clipped-pairs": {},
    "corrections-against-scores": {},
    "identical-answers": {},
    "imports-by-file": {},
    "judge-disagreements": {},
    "judges": {},
    "missing-answers": {"source": "base"},
    "missing-answers.one-data-set": {"source": "answer_gpt35", "dataset": "demo"},
    "mt-bench-average": {},
    "pair-lineage": {"pair": format_id("pair", PAIRS[0].key)},
    "pairs-by-source": {"build": "demo"},
    "pairwise-verdicts": {},
    "policy-evidence": {"policy": format_id("artefact", POLICY_KEY)},
    "qlora-relative-score": {},
    "raters-apart": {},
    "refused-rows": {},
    "response-history": {"response": format_id("response", LLAMA_A2.response_key)},
    "response-history.shown": {"response": format_id("response", YES_BASE_SHOWN.response_key)},
    "runs": {},
    "score-samples": {},
    "skipped-prompts": {"build": "demo"},
    "source-coverage": {},
    "source-coverage.one-data-set": {"dataset": "demo"},
    "tuned-models": {},
    "unused-answers": {"build": "demo"},
}


@pytest.mark.parametrize("call", CALLS)
def test_a_query_gives_the_rows_written_down_for_it(small_store, call):
    frame = small_store.query(call.split(".")[0], **CALLS[call])

    rows = frame.drop(VOLATILE, strict=False).write_csv(float_precision=6, null_value="null")
    golden = GOLDEN / f"{call}.csv"
    if os.environ.get("TSO_UPDATE_GOLDEN"):
        golden.write_text(rows, encoding="utf-8")
    assert rows == golden.read_text(encoding="utf-8")


def test_every_query_has_its_rows_written_down():
    assert {call.split(".")[0] for call in CALLS} == set(queries.names())
    assert {path.stem for path in GOLDEN.iterdir()} == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_a_query_gives_its_columns_as_plain_types(small_store, call):
    kinds = {str(kind) for kind in small_store.query(call.split(".")[0], **CALLS[call]).dtypes}

    assert kinds <= {"String", "Int32", "Int64", "Float64", "Boolean", "Datetime(time_unit='us', time_zone=None)"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("judge-disagreements", {"judge_a": "j2", "judge_b": "j1"}),
        ("clipped-pairs", {"stage": format_id("stage", STAGE_KEY)}),
        ("qlora-relative-score", {"baseline": "gpt35", "judge": "gpt-4"}),
        ("mt-bench-average", {"judge": "gpt-4", "model": "a-7b-hf"}),
    ],
)
def test_a_parameter_that_takes_everything_changes_nothing(small_store, name, parameters):
    assert small_store.query(name, **parameters).equals(small_store.query(name))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("alpaca-eval-win-rate", {"judge": "nobody"}),
        ("arena-hard-win-rate", {"baseline": "gpt35", "judge": "nobody"}),
        ("arena-hard-win-rate", {"baseline": "base"}),
        ("arena-hard-win-rate", {"baseline": "gpt35", "model": "gpt35"}),
        ("judge-disagreements", {"judge_a": "nobody"}),
        ("mt-bench-average", {"model": "base"}),
        ("pair-lineage", {"pair": "pair1-0123456789abcdef"}),
        ("refused-rows", {"run": "run1-0123456789abcdef"}),
        ("response-history", {"response": "r1-0123456789abcdef"}),
    ],
)
def test_a_query_about_nothing_has_no_rows(small_store, name, parameters):
    assert small_store.query(name, **parameters).is_empty()


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("pair-lineage", {"pair": "r1-0123456789abcdef"}, "r1-0123456789abcdef is not an id; it looks like pair1-"),
        ("response-history", {"response": "r1-XYZ"}, "r1-XYZ is not an id; it looks like r1-"),
        ("refused-rows", {"run": "last"}, "last is not an id; it looks like run1-"),
        ("pairs-by-source", {"build": "dmo"}, "no build dmo; the view v_builds has them all"),
        ("policy-evidence", {"policy": "demo/9"}, "no policy demo/9; the view v_policies has them all"),
        ("skipped-prompts", {"build": "dmo"}, "no build dmo"),
        ("build-shares", {"build": "dmo"}, "no build dmo"),
        ("unused-answers", {"build": "dmo"}, "no build dmo"),
        ("missing-answers", {"source": "gpt-5"}, "no source gpt-5; the view v_sources has them all"),
        ("mt-bench-average", {"model": "gpt-5"}, "no source gpt-5"),
        ("alpaca-eval-win-rate", {"model": "gpt-5"}, "no source gpt-5"),
        ("qlora-relative-score", {"baseline": "gpt-5"}, "no source gpt-5"),
        ("arena-hard-win-rate", {}, "no source gpt-4-0314"),
        ("arena-hard-win-rate", {"baseline": "gpt35", "model": "gpt-5"}, "no source gpt-5"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(small_store, name, parameters, message):
    with pytest.raises(QueryError, match=message):
        small_store.query(name, **parameters)


def test_a_query_without_its_needed_parameter_is_refused(small_store):
    with pytest.raises(UsageError, match="query pairs-by-source needs -p build="):
        small_store.query("pairs-by-source")


@pytest.mark.parametrize("name", ["build-shares", "pairs-by-source", "skipped-prompts", "unused-answers"])
def test_a_store_without_builds_says_so_and_not_nothing(store, name):
    with pytest.raises(QueryError, match="no build demo"):
        store.query(name, build="demo")
