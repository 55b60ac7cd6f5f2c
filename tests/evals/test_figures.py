"""Figures worked by hand, from small stores."""

import json
import math

import pytest

from tsodata.errors import UnknownNameError, UsageError
from tsodata.evals import (
    ControlFiles,
    Which,
    align_bench,
    alpaca_eval,
    arena_hard,
    compare,
    mt_bench,
    one_label,
    self_bench,
)
from tsodata.evals.alpaca_eval import load_control
from tsodata.evals.arena_hard import Game, bradley_terry


def annotation(number, preference, *, model="m", judge="weighted_alpaca_eval_gpt4_turbo", output="x"):
    return {
        "instruction": f"Q{number}",
        "output_1": "the baseline's answer",
        "generator_1": "base",
        "output_2": f"{output}{number}",
        "generator_2": model,
        "annotator": judge,
        "preference": preference,
        "dataset": "d",
    }


@pytest.fixture
def annotated(run_import, store):
    def annotate(*rows):
        run_import("alpaca-eval-annotations", list(rows))
        return store

    return annotate


def test_the_win_rate_is_the_mean_and_the_unknown_is_left_out(annotated):
    store = annotated(*(annotation(i, p) for i, p in enumerate([2, 1, 1.75, 0, None])))

    with store.reader() as reader:
        (row,) = alpaca_eval(reader).rows

    assert row["win_rate"] == pytest.approx(100 * (1 + 0 + 0.75 + 0.5) / 4)
    assert row["discrete_win_rate"] == pytest.approx(100 * (1 + 0 + 1 + 0.5) / 4)
    assert (row["n"], row["n_without"], row["n_wins"], row["n_draws"]) == (4, 1, 2, 1)
    spread = math.sqrt(sum((w - 0.5625) ** 2 for w in (1, 0, 0.75, 0.5)) / 3)
    assert row["standard_error"] == pytest.approx(100 * spread / 2)
    assert "lc_win_rate" not in row


def control_files(tmp_path, n, *, difficulty=0.0):
    sheet = "preference,index,std_delta_len,instruction_difficulty,not_gamed_baseline,model\n"
    gamed = (
        f"{0.9 if i % 2 else 0.2},{i % n},{(i % 7 - 3) / 2},{difficulty + i % n / n},False,v" for i in range(4 * n)
    )
    (tmp_path / "df_gamed.csv").write_text(sheet + "\n".join(gamed))
    (tmp_path / "set.json").write_text(json.dumps([{"instruction": f"Q{i}"} for i in range(n)]))
    return ControlFiles(tmp_path / "df_gamed.csv", tmp_path / "set.json")


def test_length_control_takes_from_a_verbose_model_what_its_length_won(annotated, tmp_path):
    lengths = [i % 5 * 40 for i in range(60)]
    rows = [annotation(i, 1 + 0.15 + 0.7 * (n > 60), output="y" * n) for i, n in enumerate(lengths)]
    store = annotated(*rows)

    with store.reader() as reader:
        (row,) = alpaca_eval(reader, files=control_files(tmp_path, 60)).rows

    assert row["lc_win_rate"] < row["win_rate"]
    assert row["lc_standard_error"] > 0


def test_prompts_outside_the_set_are_left_out_and_told(annotated, tmp_path):
    store = annotated(*(annotation(i, 1.2 + 0.6 * (i % 2), output="y" * (i % 3)) for i in range(12)))

    with store.reader() as reader:
        found = alpaca_eval(reader, files=control_files(tmp_path, 10))

    assert found.notes == ["m: 2 prompts are not in the set: left out of the LC win rate"]
    assert found.rows[0]["n"] == 12


def test_a_judge_that_is_not_the_leaderboards_is_told(annotated):
    store = annotated(annotation(1, 2, judge="my-judge"))

    with store.reader() as reader:
        (note,) = alpaca_eval(reader).notes

    assert note.startswith("my-judge is not AlpacaEval's judge")


@pytest.mark.parametrize(
    ("sheet", "problem"),
    [
        ("preference,index\n1,2\n", "df_gamed.csv:1: no preference or index or"),
        ("preference,index,std_delta_len,instruction_difficulty\n1,0,x,2\n", "could not convert"),
        ("preference,index,std_delta_len,instruction_difficulty\n1,9,0,2\n", "index 9, but .* has 3 rows"),
    ],
)
def test_a_difficulty_file_that_does_not_fit_is_refused_in_one_line(tmp_path, sheet, problem):
    files = control_files(tmp_path, 3)
    files.difficulty.write_text(sheet)

    with pytest.raises(UsageError, match=problem):
        load_control(files)


def game(model, against, win, n_votes=1):
    return [Game(1, model, against, win, n_votes), Game(1, against, model, 1 - win, n_votes)]


def test_with_two_models_the_strengths_are_the_log_odds():
    strengths = bradley_terry([*game("a", "b", 1.0, 3), *game("a", "b", 0.0), *game("a", "b", 0.5)])

    assert strengths["a"] - strengths["b"] == pytest.approx(math.log(3.5 / 1.5))


def test_strengths_reach_models_that_never_met():
    strengths = bradley_terry(
        [*game("a", "b", 1.0, 3), *game("a", "b", 0.0), *game("b", "c", 1.0), *game("b", "c", 0.0)]
    )

    assert strengths["a"] - strengths["c"] == pytest.approx(math.log(3))


def test_a_model_that_wins_nothing_has_no_finite_strength():
    strengths = bradley_terry([*game("a", "b", 1.0), *game("b", "c", 1.0), *game("a", "b", 0.0)])

    assert strengths["c"] == -math.inf
    assert strengths["a"] == pytest.approx(strengths["b"])


@pytest.fixture
def arena(run_import, store):
    def verdicts(*labels):
        turns = [f"Q{i}" for i in range(len(labels))]
        run_import("arena-hard-questions", [{"question_id": q, "turns": [{"content": q}]} for q in turns])
        answers = [
            {"question_id": q, "model_id": "base", "choices": [{"turns": [{"content": f"base {q}", "token_len": 3}]}]}
            for q in turns
        ]
        run_import("arena-hard-answers", answers, name="answers.jsonl")
        judgments = [
            {
                "question_id": q,
                "model": "m",
                "judge": "j",
                "games": [game_of(q, *pair[:1]), game_of(q, pair[1], swapped=True)],
            }
            for q, pair in zip(turns, labels, strict=True)
        ]
        run_import("arena-hard-judgments", judgments, name="judgments.jsonl")
        return store

    def game_of(question, label, *, swapped=False):
        a, b = (f"mine {question}", f"base {question}")[:: 1 if swapped else -1]
        shown = (
            f"<|User Prompt|>\n{question}\n\n<|The Start of Assistant A's Answer|>\n{a}\n"
            f"<|The End of Assistant A's Answer|>\n\n<|The Start of Assistant B's Answer|>\n{b}\n"
            "<|The End of Assistant B's Answer|>"
        )
        return {"user_prompt": shown, "judgment": f"Hence [[{label}]]" if label else "Well.", "score": label}

    return verdicts


def test_decisive_verdicts_are_three_votes_and_ties_half(arena):
    store = arena(("B>>A", "A>B"), ("A=B", "B>A"), (None, "A>B"))

    with store.reader() as reader:
        (row,) = arena_hard(reader, baseline="base").rows

    # votes for the model: 3 + 1, a tie, one against, and one beside an unparsed verdict
    assert row["win_rate"] == pytest.approx(100 * (3 + 1 + 0.5 + 0 + 1) / 7)
    assert row["win_rate_v2"] == pytest.approx(100 * (3 + 1 + 0.5 + 0) / 6)
    assert (row["n_verdicts"], row["n_without"]) == (5, 1)
    assert row["bradley_terry"] == pytest.approx(row["win_rate"])
    assert row["low"] <= row["win_rate"] <= row["high"]


def test_a_model_that_loses_everything_scores_zero(arena):
    store = arena(("A>B", "B>A"))

    with store.reader() as reader:
        (row,) = arena_hard(reader, baseline="base").rows

    assert (row["win_rate"], row["bradley_terry"]) == (0.0, 0.0)


def test_two_models_meet_through_the_same_baseline(annotated):
    better = [annotation(i, 1.9, model="strong", output="s") for i in range(6)]
    worse = [annotation(i, 1.4, model="weak", output="w") for i in range(5)]
    store = annotated(*better, *worse)

    with store.reader() as reader:
        (row,) = compare(reader, ("strong", "weak"), Which("alpaca-eval")).rows
        (other,) = compare(reader, ("weak", "base"), Which("alpaca-eval")).rows

    assert row["difference"] == pytest.approx(0.5)
    assert (row["low"], row["high"]) == pytest.approx((0.5, 0.5))
    assert (row["n"], row["n_better"], row["n_worse"]) == (5, 5, 0)
    assert other["difference"] == pytest.approx(2 * 0.4 - 1)


def test_nothing_judged_is_told(annotated):
    store = annotated(annotation(1, 2))

    with store.reader() as reader:
        with pytest.raises(UnknownNameError, match="no judge has judged m and nobody"):
            compare(reader, ("m", "nobody"), Which("alpaca-eval"))
        with pytest.raises(UnknownNameError, match="no scores by rubric 'mt-bench'"):
            mt_bench(reader)
        with pytest.raises(UnknownNameError, match="no source goes by 'nobody'"):
            one_label(reader, "nobody")


def test_a_bench_by_theme_weighs_each_theme_alike(run_import, store):
    scores = [("sums", 2.0), ("sums", 4.0), ("sums", 6.0), ("poems", 10.0)]
    rows = [
        {
            "prompt": f"Q{i}",
            "response": "A",
            "model": "m",
            "score": value,
            "tags": [tag],
            "judge": "j",
            "rubric": "bench",
        }
        for i, (tag, value) in enumerate(scores)
    ]
    run_import("records", rows)
    with store.reader() as reader:
        found = self_bench(reader, Which("bench")).rows

    assert {row["theme"]: row["mean"] for row in found} == {"poems": 10.0, "sums": 4.0, "overall": 7.0}
    assert [row["n"] for row in found] == [1, 3, 4]


def test_alignbench_is_a_mean_of_means_of_means(run_import, store):
    categories = {"数学计算": [4.0], "逻辑推理": [8.0], "基本任务": [9.0, 7.0]}
    categories |= {key: [5.0] for key in ("中文理解", "综合问答", "文本写作", "角色扮演", "专业能力")}
    rows = [
        {
            "prompt": f"{c}{i}",
            "response": "A",
            "model": "m",
            "score": v,
            "tags": [c],
            "judge": "j",
            "rubric": "alignbench",
        }
        | {"dimension": "综合得分"}
        for c, values in categories.items()
        for i, v in enumerate(values)
    ]
    run_import("records", rows)
    with store.reader() as reader:
        (row,) = align_bench(reader).rows

    assert (row["reasoning"], row["language"]) == (6.0, 5.5)
    assert row["total"] == 5.75  # and not the mean of the nine answers
    assert (row["n"], row["n_without"]) == (9, 0)


def test_a_bench_with_a_category_missing_has_no_total(run_import, store):
    row = {"prompt": "Q", "response": "A", "model": "m", "score": 3, "tags": ["数学计算"], "judge": "j"}
    run_import("records", [row | {"rubric": "alignbench", "dimension": "综合得分"}])
    with store.reader() as reader:
        (found,) = align_bench(reader).rows

    assert (found["数学计算"], found["total"]) == (3.0, None)
