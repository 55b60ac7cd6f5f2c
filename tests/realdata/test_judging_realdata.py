"""The judge beside the benchmarks' own files: their prompts come out as theirs, and their judgments as their scores."""

import gzip
import json
import re

import pytest

from tsodata.judging.material import Answer, answer_values, pair_values
from tsodata.judging.parsers import OVERALL, PREFERENCE, Asked, find_parser
from tsodata.judging.templates import render
from tsodata.judging.upstream import find_rubric

pytestmark = pytest.mark.realdata
ALPACA = "alpaca_eval/annotations/weighted_alpaca_eval_gpt4_turbo"
ARENA = "arena_hard/v0.1/model_judgment/gpt-3.5-turbo-0125_judge/Nexusflow__Athene-V2-Chat.jsonl.gz"
LEVELS = {"A>>B": 1.0, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0.0}


def read_lines(path):
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_every_mt_bench_judgment_is_read_as_the_score_that_is_stored_with_it(realdata):
    rows = read_lines(realdata / "mt_bench/model_judgment/gpt-4_single.jsonl")
    parse = find_parser("mt-bench/1")

    differing = [
        (row["question_id"], row["model"], row["turn"])
        for row in rows
        if parse(row["judgment"], Asked((1.0, 10.0)))[OVERALL] != (row["score"], None)
    ]

    assert len(rows) == 480
    assert differing == []  # none to explain: every judgment holds one rating, and none of these failed


def test_mt_bench_prompts_come_out_as_fastchat_made_them(realdata):
    rubric = find_rubric(f"mt-bench:{realdata}/mt_bench/judge_prompts.jsonl")
    questions = {row["question_id"]: row for row in read_lines(realdata / "mt_bench/question.jsonl")}
    references = {row["question_id"]: row for row in read_lines(realdata / "mt_bench/reference_answer/gpt-4.jsonl")}
    by_name = {question.record.name: question for question in rubric.questions}
    rows = read_lines(realdata / "mt_bench/model_judgment/gpt-4_single.jsonl")

    for row in rows:
        turns = questions[row["question_id"]]["turns"][: row["turn"]]
        known = references.get(row["question_id"])
        given = known["choices"][0]["turns"][: row["turn"]] if known and "math" in row["judge"][1] else []
        said = _said(row["user_prompt"], row["turn"])
        messages = [{"role": "user", "content": turns[0]}]
        for earlier, turn in zip(said, turns[1:], strict=False):
            messages += [{"role": "assistant", "content": earlier}, {"role": "user", "content": turn}]
        answer = Answer(1, 2, 3, tuple(messages), said[-1], tuple(given))
        rendered = render(by_name[f"mt-bench/{row['judge'][1]}"].template, answer_values(answer))
        assert rendered[-1]["content"] == row["user_prompt"]

    assert {row["judge"][1] for row in rows} == {name.removeprefix("mt-bench/") for name in by_name}


def _said(prompt, turn):
    if turn == 1:
        return [
            prompt.split("[The Start of Assistant's Answer]\n", 1)[1].rsplit("\n[The End of Assistant's Answer]", 1)[0]
        ]
    talk = prompt.split("<|The Start of Assistant A's Conversation with User|>\n", 1)[1].rsplit("\n\n<|The End", 1)[0]
    parts = re.split(r"\n\n### (?:User|Assistant A):\n", f"\n{talk}")
    return [parts[2], parts[4]]


def test_arena_hard_prompts_and_verdicts_come_out_as_stored(realdata):
    rubric = find_rubric(f"arena-hard:{realdata}/arena_hard/v0.1/judge_config.yaml")
    rows = read_lines(realdata / "arena_hard/v0.1/question.jsonl")
    asked = {row["question_id"]: row["turns"][0]["content"] for row in rows}
    games = [(row["question_id"], game) for row in read_lines(realdata / ARENA) for game in row["games"]]
    unread = []

    for question_id, game in games:
        shown = game["user_prompt"]
        first, second = re.split(
            r"\n<\|The End of Assistant A's Answer\|>\n\n<\|The Start of Assistant B's Answer\|>\n", shown
        )
        first = first.split("<|The Start of Assistant A's Answer|>\n", 1)[1]
        second = second.removesuffix("\n<|The End of Assistant B's Answer|>")
        said = ({"role": "user", "content": asked[question_id]},)
        pair = (Answer(1, 2, 3, said, first), Answer(2, 2, 4, said, second))
        assert render(rubric.questions[0].template, pair_values(*pair))[-1]["content"] == shown
        value, reason = find_parser("verdict/1")(game["judgment"], Asked((0.0, 1.0)))[PREFERENCE]
        assert value == LEVELS.get(game["score"])
        unread += [reason] if reason else []

    assert unread == ["no_score", "no_score"]  # two judgments end in "Assistant" and "Both"; upstream stores null


def test_alpaca_eval_preferences_are_read_from_the_token_that_is_stored(realdata):
    n_read = 0
    for path in sorted((realdata / ALPACA).glob("*.json.gz")):
        for row in json.loads(gzip.decompress(path.read_bytes())):
            if not isinstance(row["raw_completion"], dict):
                continue
            value, _ = find_parser("first-token/1")(json.dumps(row["raw_completion"]), Asked((0.0, 1.0)))[PREFERENCE]
            # upstream showed half of the rows in the other order
            assert min(abs(row["preference"] - (2 - value)), abs(row["preference"] - (1 + value))) < 1e-6
            n_read += 1

    assert n_read > 5_000


def test_alpaca_eval_prompts_are_upstreams_template_filled_in(realdata):
    path = realdata / "alpaca_eval/evaluators_configs/alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt"
    rubric = find_rubric(f"alpaca-eval:{path}")
    said = ({"role": "user", "content": "{output_1}?"},)

    system, shown = render(
        rubric.questions[0].template, pair_values(Answer(1, 2, 3, said, "a {x}"), Answer(2, 2, 4, said, "b"))
    )

    text = path.read_text(encoding="utf-8")
    for name, value in (("output_2", "b"), ("output_1", "a {x}"), ("instruction", "{output_1}?")):
        text = text.replace(f"{{{name}}}", value)
    parts = [part.split("\n", 1)[1].split("<|im_end|>")[0].strip() for part in text.split("<|im_start|>")[1:]]
    assert [system["content"], shown["content"]] == parts


def test_alignbench_prompts_are_upstreams_template_filled_in(realdata):
    rubric = find_rubric(f"alignbench:{realdata}/alignbench")
    folder = realdata / "alignbench"
    template = (folder / "judge_prompt_template.txt").read_text(encoding="utf-8")
    config = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (folder / "config").glob("*.json")}
    rows = read_lines(folder / "data_v1.1_release.jsonl")

    for row in rows:
        names = config["dimension_set"][config["subcategory_question_mapping"][row["subcategory"]]]
        described = "".join(f"{i}. {name}: {config['dimension_definition'][name]}\n" for i, name in enumerate(names, 1))
        tags = (row["category"], row["subcategory"])
        said = ({"role": "user", "content": row["question"]},)
        answer = Answer(1, 2, 3, said, "回答 {answer} {{", (row["reference"],), tags)
        question = next(q for q in rubric.questions if row["subcategory"] in q.tags)

        (message,) = render(question.template, answer_values(answer, categories=rubric.categories))

        asked = {"question": row["question"], "reference": row["reference"], "answer": "回答 {answer} {{"}
        assert message["content"] == template.format(category=row["category"], dimensions=described, **asked)
        assert question.dimensions == (*names, OVERALL)

    assert len(rows) == 683
