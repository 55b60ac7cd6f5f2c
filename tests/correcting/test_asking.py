"""Sheets for people: what is asked about, in which order, and the way there and back."""

import csv
import json
from xml.etree import ElementTree as ET

import pytest

from tsodata.correcting.asking import export_corrections
from tsodata.correcting.offering import Selection, find_offers
from tsodata.correcting.standing_in import correct_by_judge
from tsodata.errors import DataError, ExportRefusedError, UnknownNameError, UsageError
from tsodata.provenance import Run

UNSURE = {
    ("a", 7): {"j": [2, 2, 2]},  # bin 0, sd 0
    ("b", 7): {"j": [2, 3, 4]},  # bin 0, sd 1
    ("c", 7): {"j": [6, 6, 6]},  # bin 2, sd 0, and k says 9: half the range is 1.5
    ("d", 7): {"j": [5, 6, 7]},  # bin 2, sd 1
    ("e", 13): {"j": [10, 10, 10]},  # bin 4: the top of the scale belongs to the last bin
}


def offered(store, **options):
    with store.reader() as reader:
        return [offer.answer.split()[0] for offer in find_offers(reader, Selection(judge="j", **options))]


@pytest.fixture
def unsure(store, scored):
    scored(UNSURE)
    scored({("c", 7): {"k": 9}})
    return store


def test_each_bin_gives_first_what_judges_are_least_sure_of(unsure):
    assert offered(unsure) == ["b", "c", "e", "a", "d"]
    assert offered(unsure, sample=3) == ["b", "c", "e"]


def test_at_random_the_order_within_a_bin_depends_on_the_seed_alone(unsure):
    orders = {tuple(offered(unsure, at_random=True, seed=seed)) for seed in range(20)}

    assert {frozenset(order[:3]) for order in orders} == {
        frozenset({low, middle, "e"}) for low in "ab" for middle in "cd"
    }
    assert offered(unsure, at_random=True, seed=7) == offered(unsure, at_random=True, seed=7)


def test_cells_dimensions_and_builds_narrow_what_is_asked(unsure):
    assert offered(unsure, cells=("m/1/13",)) == ["e"]
    assert len(offered(unsure, dimensions=("logic",))) == 5
    with pytest.raises(DataError, match="nothing to ask about"):
        offered(unsure, dimensions=("poetry",))
    with pytest.raises(UnknownNameError, match="no source 'm/1/70'"):
        offered(unsure, cells=("m/1/70",))
    with pytest.raises(UnknownNameError, match="no build 'main'; the store has: none yet"):
        offered(unsure, build="main")


def test_what_people_corrected_is_asked_about_again_only_when_that_is_wanted(unsure, corrected):
    corrected({("b", 7): 5})

    assert offered(unsure) == ["a", "c", "e", "d"]
    assert offered(unsure, again=True) == ["b", "c", "e", "a", "d"]


def test_with_two_judges_one_is_to_be_named(unsure):
    with unsure.reader() as reader, pytest.raises(UsageError, match="scores of j by paper; k by paper: choose"):
        find_offers(reader, Selection())
    with unsure.reader() as reader, pytest.raises(UnknownNameError, match="no scores of judge x by rubric any"):
        find_offers(reader, Selection(judge="x"))


def test_a_sheet_for_spreadsheets_runs_no_formula_and_comes_back(store, scored, run_import, tmp_path):
    scored({("=1+1", 7): {"j": 4}}, raw="@fine, says the judge. Score: {}")
    export_corrections(store, Selection(), to="csv", out=tmp_path / "s.csv")

    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["prompt"], row["answer"]) == ("'=1+1", "'=1+1 by 7")
    assert row["judge_words"] == "'@fine, says the judge. Score: 4"
    assert (row["judge_score"], row["score"], row["author"]) == ("4.0", "", "")
    with (tmp_path / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow({**row, "score": "8.5", "reason": "=right", "author": "ann"})
    assert run_import("corrections", tmp_path / "filled.csv").added == {"corrections": 1, "rubrics": 0}
    assert store.sql("select value, author, author_kind, reason, dimension, rubric from v_corrections").rows() == [
        (8.5, "ann", "human", "=right", "logic", "paper")
    ]
    assert store.sql("select count(*) from rubrics").item() == 1


def test_argilla_gets_records_and_settings_and_its_answers_come_back(store, scored, run_import, tmp_path):
    scored({("a", 7): {"j": 4}})
    export_corrections(store, Selection(), to="argilla", out=tmp_path / "argilla")

    settings = json.loads((tmp_path / "argilla" / "settings.json").read_text())
    (record,) = json.loads((tmp_path / "argilla" / "records.json").read_text())
    options = settings["questions"][0]["settings"]["options"]
    assert [option["value"] for option in options] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert {field["name"] for field in settings["fields"]} == set(record["fields"])
    filled = {
        "score": [{"value": 9, "user_id": "ann"}, {"value": 3, "user_id": "bob", "status": "discarded"}],
        "reason": [{"value": "sound", "user_id": "ann"}],
    }
    assert run_import("argilla", [{**record, "responses": filled}]).added == {"corrections": 1, "rubrics": 0}
    assert store.sql("select value, author, reason from v_corrections").rows() == [(9.0, "ann", "sound")]
    assert store.sql("select count(*) from responses").item() == 1


def test_label_studio_gets_tasks_and_a_configuration_and_its_answers_come_back(store, scored, run_import, tmp_path):
    scored({("a < b", 7): {"j": 4}})
    export_corrections(store, Selection(), to="label-studio", out=tmp_path / "ls")

    controls = {element.get("name"): element for element in ET.parse(tmp_path / "ls" / "config.xml").iter()}
    (task,) = json.loads((tmp_path / "ls" / "tasks.json").read_text())
    assert (controls["score"].get("min"), controls["score"].get("max")) == ("2", "10")
    shown = {element.get("value") for element in controls.values()} - {None}
    assert {name.removeprefix("$") for name in shown if name.startswith("$")} <= set(task["data"])
    result = [
        {"from_name": "score", "to_name": "answer", "type": "number", "value": {"number": 6.5}},
        {"from_name": "reason", "to_name": "answer", "type": "textarea", "value": {"text": ["one", "two"]}},
    ]
    by_ann = {"id": 1, "completed_by": {"email": "ann@b.c"}, "updated_at": "2026-01-02T03:04:05Z", "result": result}
    done = {**task, "annotations": [by_ann, {**by_ann, "was_cancelled": True, "completed_by": 2}]}
    assert run_import("label-studio", [done]).accepted == 1
    assert store.sql("select value, author, reason, made_at::varchar from v_corrections").rows() == [
        (6.5, "ann@b.c", "one\ntwo", "2026-01-02 03:04:05")
    ]


@pytest.mark.parametrize(("low", "high"), [(0.5, 1), (0, 100), (None, None)])
def test_argilla_is_refused_scales_that_it_cannot_rate_on(store, scored, tmp_path, low, high):
    scored({("a", 7): {"j": 1}}, scale_min=low, scale_max=high)

    with pytest.raises(UsageError, match=r"csv"):
        export_corrections(store, Selection(), to="argilla", out=tmp_path / "argilla")
    assert not (tmp_path / "argilla").exists()


@pytest.mark.parametrize("to", ["csv", "label-studio"])
def test_a_sheet_is_never_written_over(store, scored, tmp_path, to):
    scored({("a", 7): {"j": 4}})
    out = tmp_path / "sheet"
    first = export_corrections(store, Selection(), to=to, out=out)
    again = export_corrections(store, Selection(), to=to, out=out)

    assert (first.already_there, again.already_there, again.n_offers) == (False, True, 1)
    with pytest.raises(ExportRefusedError, match="is there, and may have been filled in"):
        export_corrections(store, Selection(), to="jsonl", out=out)


def test_a_stronger_judge_stands_in_once_with_its_mean_and_its_first_words(store, scored):
    scored({("a", 7): {"big": [6, 7]}}, raw="I say {}.")
    with store.run(Run.of_process({})) as run:
        first = correct_by_judge(store, "big", run=run)
        again = correct_by_judge(store, "big", run=run)
        with pytest.raises(UnknownNameError, match="no scores of judge 'j'"):
            correct_by_judge(store, "j", run=run)

    assert (first.n_added, again.n_added, again.n_present) == (1, 0, 1)
    assert store.sql("select value, author, author_kind, reason from v_corrections").rows() == [
        (6.5, "big", "model", "I say 6.")
    ]
