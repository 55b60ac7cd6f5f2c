"""Pairs from the verdicts of real files, against counts made from the files without the store."""

import gzip
import json
from collections import defaultdict

import openpyxl
import pytest

from tsodata.builds import build_pairs, verify_build
from tsodata.exporters import export_build
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.recipes import BUILT_IN

pytestmark = pytest.mark.realdata
DEGREES = {"a-is-better": 4, "a-is-slightly-better": 3, "tie": 2, "b-is-slightly-better": 1, "b-is-better": 0}
LEVELS = {"A>>B": 4, "A>B": 3, "A=B": 2, "B>A": 1, "B>>A": 0}  # quarters of a preference for A


@pytest.fixture
def load(store):
    def load_files(format_name, *paths, **options):
        with store.run(Run.of_process({})) as run:
            import_files(store, format_name, list(paths), run=run, options=ImportOptions(**options))

    return load_files


def build(store, **options):
    with store.run(Run("test")) as run:
        return build_pairs(store, "b", recipe=BUILT_IN["preferred"].with_options(**options), run=run)


def test_hh_rlhf_gives_its_chosen_and_rejected_answers_back(load, store, realdata, tmp_path):
    path = realdata / "hh_rlhf/harmless-base.test.lines0001-0600.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = [tuple(row[side].rsplit("\n\nAssistant:", 1)[1].strip() for side in ("chosen", "rejected")) for row in rows]

    load("hh-rlhf", path)
    done = build(store)
    with store.run(Run("test")) as run:
        export_build(store, "b", to="jsonl", out=tmp_path / "out", run=run)

    expected = sorted(pair for pair in last if all(pair))
    assert (done.n_pairs, done.outcomes) == (len(expected), {"paired": 598, "uncompared": 2})
    written = [json.loads(line) for line in (tmp_path / "out/train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted((row["chosen"].strip(), row["rejected"].strip()) for row in written) == expected
    assert "base model" not in (tmp_path / "out/README.md").read_text(encoding="utf-8")


def test_tulu_s_people_give_the_pairs_that_their_degrees_add_up_to(load, store, realdata):
    path = realdata / "tulu_human_eval/eval_annotations_tulu_1.xlsx"
    head, *rows = openpyxl.load_workbook(path, read_only=True).active.values
    balance, texts = defaultdict(list), {}
    for values in rows:
        row = dict(zip(head, values, strict=True))
        if row["model_a"] and row["preference"]:
            key = (row["prompt"], *sorted((row["model_a"], row["model_b"])))
            degree = DEGREES[row["preference"]] - 2
            balance[key].append(degree if row["model_a"] < row["model_b"] else -degree)
            texts[key] = frozenset(str(row[f"completion_{side}"]).strip() for side in "ab")
    decided = {key: sum(found) > 0 for key, found in balance.items() if sum(found) and len(texts[key]) == 2}

    load("tulu-preferences", path)
    done = build(store, pairs_per_prompt=6)

    pairs = store.sql(
        "select text, chosen_source, rejected_source from v_pairs join v_prompts using (prompt_id)"
    ).rows()
    told = {(text, *sorted((chosen, rejected))): chosen < rejected for text, chosen, rejected in pairs}
    assert told.items() <= decided.items()
    assert done.n_pairs == len(told) == len({(key[0], texts[key]) for key in decided})  # two texts make one pair
    assert verify_build(store, "b").is_equal


def test_arena_hard_gives_pairs_once_the_judged_answers_are_there(load, store, realdata, tmp_path):
    arena = realdata / "arena_hard/v0.1"
    (judged,) = arena.glob("model_judgment/*/*")
    with gzip.open(judged, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with gzip.open(arena / "model_answer/gpt-4-0314.jsonl.gz", "rt", encoding="utf-8") as file:
        baseline = {row["question_id"]: row["choices"][0]["turns"][0]["content"] for row in map(json.loads, file)}
    load("arena-hard-questions", arena / "question.jsonl")
    load("arena-hard-answers", arena / "model_answer/gpt-4-0314.jsonl.gz")
    load("arena-hard-judgments", judged)

    answers = tmp_path / "answers.jsonl"
    with answers.open("w", encoding="utf-8") as file:
        for row in rows:
            words = row["games"][0]["user_prompt"].split("Assistant B's Answer|>\n")[1].rsplit("\n<|The End of", 1)[0]
            turns = [{"content": words}]
            told = {"question_id": row["question_id"], "answer_id": "x", "model_id": row["model"]}
            file.write(json.dumps({**told, "choices": [{"index": 0, "turns": turns}]}) + "\n")
            assert words != baseline[row["question_id"]]
    before = build_of_nothing(store)
    load("arena-hard-answers", answers)
    done = build(store)

    wins = ties = unsaid = 0
    for row in rows:
        labels = [game["score"] for game in row["games"]]
        balance = sum((LEVELS[label] - 2) * (1 if game else -1) for game, label in enumerate(labels) if label)
        wins, unsaid = wins + (balance > 0), unsaid + (not any(labels))
        ties += balance == 0 and any(labels)
    assert before == {"uncompared": 500}
    assert done.outcomes == {
        "paired": len(rows) - ties - unsaid,
        "tie": ties,
        "uncompared": 500 - len(rows) + unsaid,
    }
    assert (
        sum(share.realised for share in done.side("preferences", "chosen") if share.source == rows[0]["model"]) == wins
    )


def build_of_nothing(store):
    from tsodata.builds.drawing import draw
    from tsodata.builds.planning import make_plan

    with store.reader() as reader:
        snapshot = reader.snapshot()
        draw(reader, make_plan(reader, None, BUILT_IN["preferred"], snapshot, None), snapshot.commit_seq)
        return dict(reader.connection.execute("select reason, count(*) from judged group by all").fetchall())
