"""Real answers, written as answer files and read back into a fresh store, are the same answers."""

import pytest

from tsodata.exporters import export_answers
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.store import Store

pytestmark = pytest.mark.realdata


def fill(path, realdata, *files):
    store = Store.open(path, create=True)
    options = ImportOptions(models=realdata / "MODELS.csv")
    with store.run(Run.of_process({})) as run:
        for format_name, file in files:
            import_files(store, format_name, [file], run=run, options=options)
    return store


def keys_in(store):
    return set(store.sql("select response_key from responses where not is_empty")["response_key"].to_list())


@pytest.mark.parametrize(
    ("model", "label", "written"),
    [("vicuna-7b-v1.5", "vicuna/v1.5/7", (805, 0)), ("text_davinci_003", "gpt-davinci/003", (803, 2))],
)
def test_alpaca_eval_outputs_come_back_as_the_same_answers(realdata, tmp_path, model, label, written):
    file = realdata / f"alpaca_eval/model_outputs/{model}.json.gz"
    store = fill(tmp_path / "a.duckdb", realdata, ("alpaca-eval", file))

    report = export_answers(store, label, to="alpaca-eval", out=tmp_path / "outputs.json")

    assert report.model == model
    assert (report.n_rows, report.refused["answer_is_empty"]) == written
    again = fill(tmp_path / "b.duckdb", realdata, ("alpaca-eval", tmp_path / "outputs.json"))
    assert keys_in(again) == keys_in(store)


def test_mt_bench_answers_come_back_as_the_same_answers(realdata, tmp_path):
    questions = ("mt-bench-questions", realdata / "mt_bench/question.jsonl")
    file = realdata / "mt_bench/model_answer/Mistral-ORPO-alpha.jsonl"
    store = fill(tmp_path / "a.duckdb", realdata, questions, ("mt-bench-answers", file))
    label = store.sql("select label from sources where kind = 'model'").item()

    report = export_answers(store, label, to="fastchat", out=tmp_path / "answers.jsonl")

    assert (report.n_rows, report.n_answers, report.n_unanswered) == (80, 160, 0)
    again = fill(tmp_path / "b.duckdb", realdata, questions, ("mt-bench-answers", tmp_path / "answers.jsonl"))
    assert keys_in(again) == keys_in(store)
