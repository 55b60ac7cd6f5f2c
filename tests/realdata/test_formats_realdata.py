"""The real files of the formats beside AlpacaEval, MT-Bench and QLoRA: sums against counts made without an importer."""

import gzip
import json
import re
import warnings
from collections import Counter

import pytest

from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run

pytestmark = pytest.mark.realdata


@pytest.fixture
def load(store, realdata):
    """Import files of the real data, and return the sums of each."""

    def load_files(format_name, *names, **options):
        with store.run(Run.of_process({})) as run:
            paths = [realdata / name for name in names]
            return import_files(store, format_name, paths, run=run, options=ImportOptions(**options))

    return load_files


def test_hh_rlhf_gives_one_preference_and_two_answers_a_line(load, store, realdata):
    name = "hh_rlhf/harmless-base.test.lines0001-0600.jsonl"
    with (realdata / name).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    empty = sum(not re.split(r"\n\nAssistant:", row[side])[-1].strip() for row in rows for side in row)

    (report,) = load("hh-rlhf", name)

    assert (report.rows, report.accepted) == (len(rows), len(rows)) == (600, 600)
    assert store.sql("select count(*), avg(preference) from v_preferences").row(0) == (600, 1.0)
    assert store.sql("select count(*), count(*) filter (where is_empty) from v_responses").row(0) == (1_200, empty)
    n_turns = sum(row["chosen"].count("\n\nHuman:") for row in rows)
    assert store.sql("select sum(n_turns)::bigint, count(*) from v_prompts").row(0) == (n_turns, 600)


ARENA = "arena_hard/v0.1"
JUDGED = f"{ARENA}/model_judgment/gpt-3.5-turbo-0125_judge/Nexusflow__Athene-V2-Chat.jsonl.gz"


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_arena_hard_gives_500_questions_in_either_schema_and_500_answers_a_model(load, store, realdata):
    answers = sorted(path.relative_to(realdata) for path in (realdata / ARENA / "model_answer").iterdir())
    rows = {path: lines(realdata / path) for path in answers}
    mean_tokens = {
        found[0]["model_id"]: sum(row["choices"][0]["turns"][0]["token_len"] for row in found) / len(found)
        for found in rows.values()
    }

    questions = load("arena-hard-questions", f"{ARENA}/question.jsonl", f"{ARENA}/question.uid_schema.jsonl")
    reports = load("arena-hard-answers", *answers)

    assert [(r.rows, r.accepted, r.present) for r in questions] == [(500, 500, 0), (500, 0, 500)]
    assert [(r.rows, r.accepted) for r in reports] == [(len(found), len(found)) for found in rows.values()]
    assert store.sql("select count(*) from v_responses").item() == sum(map(len, rows.values())) == 1_500
    stored = store.sql("select source, avg((settings->>'token_len')::integer) from v_responses group by source").rows()
    assert dict(stored) == pytest.approx(mean_tokens)


def test_arena_hard_judgments_give_the_score_that_the_file_s_own_labels_add_up_to(load, store, realdata):
    rows = lines(realdata / JUDGED)
    labels = [(game, row["games"][game]["score"]) for row in rows for game in (0, 1)]
    votes = {"A>>B": (3, 0), "A>B": (1, 0), "A=B": (0.5, 0.5), "B>A": (0, 1), "B>>A": (0, 3)}  # for A and for B
    told = [votes[label][:: 1 if game else -1] for game, label in labels if label]  # the model's side first
    n_votes, wins = sum(map(sum, told)), sum(model for model, _ in told)

    load("arena-hard-questions", f"{ARENA}/question.jsonl")
    load("arena-hard-answers", f"{ARENA}/model_answer/gpt-4-0314.jsonl.gz")
    (report,) = load("arena-hard-judgments", JUDGED)

    assert (report.rows, report.accepted) == (len(rows), len(rows)) == (108, 108)
    assert store.sql("select count(*), count(preference) from v_preferences").row(0) == (216, len(told))
    (row,) = store.query("arena-hard-win-rate").to_dicts()
    assert (row["model"], row["n_votes"], row["n_without"]) == ("Nexusflow__Athene-V2-Chat", n_votes, 216 - len(told))
    assert row["win_rate"] == pytest.approx(100 * wins / n_votes)
    assert store.sql("select count(*) from v_shown_responses").item() == 108  # the baseline's are stored answers


def test_just_eval_gives_five_scores_a_row_with_their_own_means(load, store, realdata):
    name = "just_eval/gpt-3.5-turbo-0301.general.0-100.json.gz"
    with gzip.open(realdata / name, "rt", encoding="utf-8") as file:
        rows = json.load(file)
    given = {}
    for row in rows:
        for dimension, verdict in row["parsed_result"].items():
            given.setdefault(dimension, []).append(int(verdict["score"]))

    (report,) = load("just-eval", name)

    assert (report.rows, report.accepted) == (len(rows), len(rows)) == (100, 100)
    stored = store.sql("select dimension, count(*), sum(value) from v_scores group by 1").rows()
    assert {dimension: (n, total) for dimension, n, total in stored} == {
        dimension: (len(scores), sum(scores)) for dimension, scores in given.items()
    }
    assert sum(map(len, given.values())) == 500
    assert store.sql("select distinct judge, source from v_scores").rows() == [
        ("gpt-4-1106-preview", "gpt-3.5-turbo-0301")
    ]


def test_the_tulu_sheet_gives_one_preference_for_each_row_that_names_a_model(load, store, realdata):
    openpyxl = pytest.importorskip("openpyxl", reason="no reader of .xlsx is installed")
    name = "tulu_human_eval/eval_annotations_tulu_1.xlsx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the sheet has extensions that openpyxl does not know
        header, *rows = openpyxl.load_workbook(realdata / name).active.iter_rows(values_only=True)
    judged = [dict(zip(header, row, strict=True)) for row in rows if row[header.index("model_a")]]
    degrees = Counter(row["preference"] for row in judged)

    (report,) = load("tulu-preferences", realdata / name)

    assert (report.accepted, report.failed) == (len(judged), {}) == (1_150, {})
    assert dict(
        store.sql("select raw, count(*) from v_judgements where other_response_id is not null group by 1").rows()
    ) == (degrees)
    acceptable = sum(row[f"completion_{side}_is_acceptable"] == "yes" for row in judged for side in "ab")
    assert store.sql("select count(*), sum(value) from v_scores").row(0) == (2 * len(judged), acceptable)
    models = {row[f"model_{side}"] for row in judged for side in "ab"}
    assert set(store.sql("select distinct source from v_responses").to_series()) == models
    published = {
        (instance["prompt"], given["model"], given["completion"])
        for instance in lines(realdata / "tulu_human_eval/eval_instances_tulu_1.jsonl.gz")
        for given in instance["completions"]
    }
    stored = store.sql(
        "select v_prompts.text, source, v_responses.text from v_responses join v_prompts using (prompt_id)"
    )
    assert len(set(stored.rows()) - published) == 2  # two formulas whose cells the sheet renamed when it was sorted
