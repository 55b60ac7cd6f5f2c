"""What a judge learns from: whose words, which score, which split, and what is refused."""

import json

import pytest

from tsodata.correcting.choosing import JudgeChoice
from tsodata.correcting.judge_sft import Item, Lesson, evidence_of, find_items
from tsodata.correcting.teaching import export_judge_sft
from tsodata.errors import DataError, ExportRefusedError, UnknownNameError, UsageError
from tsodata.judging.rubric import load_rubric
from tsodata.judging.templates import read_turn, template_text
from tsodata.provenance import canonical_json

ASK = "Grade {prompt}\nAnswer: {answer}\nEnd with Score: 7.5"
TEMPLATE = canonical_json(template_text((read_turn("user", ASK),)))
JUDGED = {(f"q{i}", size): {"j": [3, 5, 9]} for i in range(20) for size in (7, 13)}


def lines(folder, split):
    return [json.loads(line) for line in (folder / "data" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def taught(store, folder, **asked):
    report = export_judge_sft(store, Lesson(**asked), out=folder)
    assert report.n_items == sum(report.rows.values()) + sum(report.refused.values())
    return report


def judged(scored, judged=JUDGED, **more):
    scored(judged, raw="It is fine, {0} of 10.\nScore: {0}.0", **{"template": TEMPLATE, **more})


def test_a_record_is_the_rubrics_prompt_and_the_persons_reason_with_the_persons_score(
    store, scored, corrected, tmp_path
):
    judged(scored, {("q", 7): {"j": 3}})
    corrected({("q", 7): 7.25}, reason="  It names the river.\nScore: 2 ", template=TEMPLATE)

    report = taught(store, tmp_path / "out", held_out=0.0)

    assert (report.rows, report.refused, report.evidence_by) == ({"train": 1, "held_out": 0}, {}, {"human": 1})
    (record,) = lines(tmp_path / "out", "train")
    assert record["messages"] == [
        {"role": "user", "content": "Grade q\nAnswer: q by 7\nEnd with Score: 7.5"},
        {"role": "assistant", "content": "It names the river.\nScore: 7.2"},
    ]
    assert (record["split"], record["dimension"], record["score"], record["judge_score"]) == (
        "train",
        "logic",
        7.2,
        3.0,
    )
    assert (record["scored_by"], record["source"]) == ("human", "m/1/7")


def test_without_a_reason_the_judge_speaks_in_the_words_of_the_sample_that_agrees(store, scored, corrected, tmp_path):
    judged(scored)
    corrected({("q0", 7): 5.5, ("q1", 7): 10, ("q2", 7): 7}, template=TEMPLATE)

    report = taught(store, tmp_path / "out", held_out=0.0)

    said = {record["score"]: record["messages"][-1]["content"] for record in lines(tmp_path / "out", "train")}
    assert said == {5.5: "It is fine, 5 of 10.\nScore: 5.5", 10.0: "It is fine, 9 of 10.\nScore: 10.0"}
    assert report.refused == {"no_evidence": 1}  # 7 is 2 from the nearest sample
    assert report.evidence_by == {"judge": 2}


def item(**known):
    fields = dict.fromkeys(Item._fields) | {"score": 8.0, "scored_by": "human"}
    return Item(**{**fields, **known})


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"reason": "Sound."}, ("Sound.", "human")),
        ({"reason": "Score: 8"}, None),  # a score is no evidence
        ({"judge_words": "Good. **Score: 8.0**", "judge_score": 8.0}, ("Good.", "judge")),
        (
            {"judge_words": "Bad, Score: 1, they say.\n评分\uff1a9", "judge_score": 9.0},
            ("Bad, Score: 1, they say.", "judge"),
        ),
        ({"judge_words": "Good.", "judge_score": 6.9}, None),
        ({"judge_words": None, "judge_score": 8.0}, None),
    ],
)
def test_words_are_never_made_up_and_end_before_the_score(known, words):
    assert evidence_of(item(**known), 1.0) == words


def test_no_prompt_is_in_two_splits_and_held_out_cells_are_never_trained_on(store, scored, corrected, tmp_path):
    judged(scored)
    corrected(dict.fromkeys(JUDGED, 5), template=TEMPLATE)

    report = taught(store, tmp_path / "out", held_out=0.3, held_out_cells=("m/1/13",), per_bin=100)

    train, held_out = (lines(tmp_path / "out", split) for split in ("train", "held_out"))
    assert not {r["prompt_id"] for r in train} & {r["prompt_id"] for r in held_out}
    assert {record["source"] for record in train} == {"m/1/7"}
    assert {record["cell_is_held_out"] for record in held_out} == {True, False}
    assert report.refused == {"cell_is_held_out": len(train)}
    assert len(held_out) == 2 * (20 - len(train))
    assert 2 <= 20 - len(train) <= 10


def test_bins_of_scores_are_filled_evenly_in_training_alone(store, scored, corrected, tmp_path):
    judged(scored)
    places = list(JUDGED)
    corrected(dict.fromkeys(places[:24], 9), template=TEMPLATE)
    corrected(dict.fromkeys(places[24:34], 5), template=TEMPLATE)
    corrected(dict.fromkeys(places[34:37], 3), template=TEMPLATE)

    assert taught(store, tmp_path / "all", held_out=0.0).refused == {
        "bin_is_full": 14
    }  # 24, 10 and 3: the middle is 10
    assert taught(store, tmp_path / "two", held_out=0.0, per_bin=2).rows == {"train": 6, "held_out": 0}
    scores = json.loads((tmp_path / "all" / "manifest.json").read_text())["scores"]
    assert scores == {"3.0": 3, "5.0": 10, "9.0": 10}


def test_people_come_before_a_stronger_judge_and_several_people_count_with_their_mean(store, scored, corrected):
    judged(scored, {("q0", 7): {"j": 5}, ("q1", 7): {"j": 5}})
    corrected({("q0", 7): 4}, author="ann", reason="low", template=TEMPLATE)
    corrected({("q0", 7): 7}, author="bob", reason="high", template=TEMPLATE)
    corrected({("q0", 7): 9, ("q1", 7): 9}, author="big", kind="model", template=TEMPLATE)

    with store.reader() as reader:
        found = find_items(reader, Lesson(), JudgeChoice("j", "paper"))

    told = {one.scored_by: (one.score, one.reason) for one in found}
    assert told == {"human": (5.5, "low"), "model": (9.0, None)}


def test_another_rubric_may_ask_and_the_paper_asks_for_its_label(store, scored, corrected, tmp_path):
    judged(scored, {("q", 7): {"j": 3}}, template=None)
    corrected({("q", 7): 4}, reason="Weak.")
    with pytest.raises(ExportRefusedError, match=r"of 1 corrected answers none .* \(rubric_has_no_template 1\)"):
        taught(store, tmp_path / "out", held_out=0.0)

    rubric = load_rubric("tso/1")
    taught(store, tmp_path / "out", held_out=0.0, rubric=rubric)

    (record,) = lines(tmp_path / "out", "train")
    assert "q by 7" in record["messages"][-2]["content"]
    assert record["messages"][-1]["content"] == "Evaluation evidence: Weak.\nScore: 4.0"


REFUSED = {"unfilled_place": "Grade {answer} like {reference}. Score: 1", "not_a_score_line": "Rate {answer} as [[8]]."}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_asked_or_read_back_is_refused_with_its_reason(store, scored, corrected, tmp_path, reason):
    ask = REFUSED[reason]
    template = canonical_json(template_text((read_turn("user", ask),)))
    judged(scored, {("q", 7): {"j": 3}}, template=template)
    corrected({("q", 7): 4}, reason="Weak.", template=template)

    with pytest.raises(ExportRefusedError, match=f"{reason} 1"):
        taught(store, tmp_path / "out", held_out=0.0)
    assert not (tmp_path / "out").exists()


def test_the_same_lesson_is_written_once_and_anything_else_there_is_left_alone(store, scored, corrected, tmp_path):
    judged(scored)
    corrected(dict.fromkeys(JUDGED, 5), template=TEMPLATE)

    first = taught(store, tmp_path / "out", held_out=0.2)
    content = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.json*")}
    again = taught(store, tmp_path / "out", held_out=0.2)

    assert (first.already_there, again.already_there, again.rows) == (False, True, first.rows)
    taught(store, tmp_path / "other", held_out=0.2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "other").rglob("*.json*")} == content
    for seed, change in ((44, None), (43, "train.jsonl")):
        if change:
            (tmp_path / "out" / "data" / change).write_text("{}\n")
        with pytest.raises(ExportRefusedError, match="is there and holds something else"):
            taught(store, tmp_path / "out", held_out=0.2, seed=seed)


def test_what_cannot_be_meant_is_told(store, scored, tmp_path):
    judged(scored)

    for asked, error, words in (
        ({}, DataError, "nobody has corrected an answer by rubric 'paper'"),
        ({"held_out": 1.0}, UsageError, "--held-out 1: a share"),
        ({"held_out_cells": ("m/9/9",)}, UnknownNameError, "no source 'm/9/9'"),
        ({"judge": "x"}, UnknownNameError, "no scores of judge x"),
    ):
        with pytest.raises(error, match=words):
            taught(store, tmp_path / "out", **asked)
