"""Answer files: what each benchmark reads, what is refused, and the same answers when they are read back."""

import json
from collections import Counter

import pytest

from tsodata.errors import ExportRefusedError, UnknownNameError, UsageError
from tsodata.exporters import ANSWER_FILES, export_answers
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.records import Origin, Prompt, Response, Settings, Source, SourceName
from tsodata.store import Store

MODEL = Source.model("base", None, 7.0)
NAMED = SourceName(MODEL.source_key, "base-7b")


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "of.duckdb", create=True)


@pytest.fixture
def fill(store):
    """Put records into the store, by kind."""

    def append(*records):
        by_type = {}
        for record in records:
            by_type.setdefault(type(record), []).append(record)
        with store.transaction(Run("test")) as transaction:
            transaction.append(by_type)

    return append


@pytest.fixture
def export(store, tmp_path):
    """Export the answers of the model, and return the report and the rows."""

    def export_to(to, **options):
        out = tmp_path / f"{to}.out"
        report = export_answers(store, MODEL.label, to=to, out=out, **options)
        text = out.read_text()
        return report, json.loads(text) if to == "alpaca-eval" else [json.loads(line) for line in text.splitlines()]

    return export_to


@pytest.fixture
def read_back(tmp_path):
    """Import files, each under its format, into a fresh store, and return the keys of its answers."""

    def keys_of(*files):
        fresh = Store.open(tmp_path / "fresh.duckdb", create=True)
        models = tmp_path / "models.csv"
        models.write_text("name,family,version,size\nbase-7b,base,,7\n")
        with fresh.run(Run.of_process({})) as run:
            for format_name, path in files:
                import_files(fresh, format_name, [path], run=run, options=ImportOptions(models=models))
        return keys_in(fresh)

    return keys_of


def keys_in(store):
    return set(store.sql("select response_key from responses")["response_key"].to_list())


def alpaca(text, *answers, dataset="koala"):
    prompt = Prompt.of_user(text)
    return [prompt, Origin(prompt.prompt_key, dataset, tags=("alpaca_eval",)), *responses(prompt, *answers)]


def responses(prompt, *answers, **options):
    return [
        Response(prompt.prompt_key, MODEL.source_key, text, sample_index=n, **options) for n, text in enumerate(answers)
    ]


def question(question_id, dataset="mt_bench", n_turns=2):
    """Return the prompts of a question, a turn each, and where they come from."""
    said, prompts = [], []
    for turn in range(1, n_turns + 1):
        said.append({"role": "user", "content": f"{question_id}, turn {turn}?"})
        prompts.append(Prompt(tuple(said)))
        said.append({"role": "assistant", "content": None})
    return prompts, [Origin(each.prompt_key, dataset, f"{question_id}/{n}") for n, each in enumerate(prompts, 1)]


def dialogue(prompts, *texts, sample=0, answer_id=None):
    """Return one sample's answers to the turns of a question."""
    given = []
    for turn, (prompt, text) in enumerate(zip(prompts, texts, strict=False), 1):
        given.append(
            Response(
                prompt.prompt_key,
                MODEL.source_key,
                text,
                sample_index=sample,
                previous_key=given[-1].response_key if given else None,
                external_id=answer_id and f"{answer_id}/{sample}/{turn}",
            )
        )
    return given


def test_there_is_a_file_for_each_of_four_benchmarks():
    assert list(ANSWER_FILES) == ["alpaca-eval", "fastchat", "arena-hard", "alignbench"]


def test_alpaca_eval_has_its_four_fields_and_the_text_as_stored(fill, export):
    fill(MODEL, NAMED, *alpaca("Name a bird.", "  A wren.\n"))

    report, rows = export("alpaca-eval")

    assert rows == [
        {"dataset": "koala", "instruction": "Name a bird.", "output": "  A wren.\n", "generator": "base-7b"}
    ]
    assert (report.n_rows, report.n_answers, report.refused, report.n_unanswered) == (1, 1, Counter(), 0)


def test_alpaca_eval_takes_the_first_sample_of_a_single_instruction_that_is_not_empty(fill, export):
    system = Prompt.of_user("Name a fish.", system="Be brief.")
    unasked = Prompt.of_user("Name a stone.")
    fill(
        MODEL,
        *alpaca("Name a bird.", "A wren.", "A crow."),
        *alpaca("Name a tree.", " \n"),
        *(system, Origin(system.prompt_key, "koala", tags=("alpaca_eval",)), *responses(system, "Cod.")),
        *(unasked, Origin(unasked.prompt_key, "koala", tags=("alpaca_eval",))),
    )

    report, rows = export("alpaca-eval")

    assert [row["output"] for row in rows] == ["A wren."]
    assert report.refused == Counter(another_sample=1, answer_is_empty=1, prompt_is_not_one_instruction=1)
    assert (report.n_answers + report.refused.total(), report.n_unanswered) == (4, 1)


def test_a_source_that_files_have_not_named_goes_by_its_label_or_the_name_given(fill, export):
    fill(MODEL, *alpaca("Name a bird.", "A wren."))

    assert export("alpaca-eval")[1][0]["generator"] == "base/-/7"
    assert export("alpaca-eval", model="mine", overwrite=True)[1][0]["generator"] == "mine"


def test_fastchat_has_both_turns_of_each_sample_and_the_id_of_the_answer_as_imported(fill, export):
    prompts, origins = question(81)
    fill(MODEL, NAMED, *prompts, *origins)
    fill(*dialogue(prompts, "One. ", "Two.", answer_id="xyz"), *dialogue(prompts, "Uno.", "Dos.", sample=1))

    report, (row,) = export("fastchat")

    assert row.pop("tstamp") > 1_700_000_000
    assert row == {
        "question_id": 81,
        "answer_id": "xyz",
        "model_id": "base-7b",
        "choices": [{"index": 0, "turns": ["One. ", "Two."]}, {"index": 1, "turns": ["Uno.", "Dos."]}],
    }
    assert (report.n_rows, report.n_answers) == (1, 4)


def test_fastchat_orders_questions_by_number_and_an_answer_without_an_id_has_its_own(fill, export):
    given = []
    for number in (101, 82, 9):
        prompts, origins = question(number)
        given += [*prompts, *origins, *dialogue(prompts, "One.", "Two.")]
    fill(MODEL, *given)

    _, rows = export("fastchat")

    assert [row["question_id"] for row in rows] == [9, 82, 101]
    assert all(row["answer_id"].startswith("r1-") for row in rows)


def test_fastchat_refuses_samples_that_lack_a_turn_or_have_an_empty_one(fill, export):
    whole, lacking, empty = (question(number) for number in (1, 2, 3))
    without_id = Prompt.of_user("No id?")
    fill(
        MODEL,
        *(record for prompts, origins in (whole, lacking, empty) for record in (*prompts, *origins)),
        *dialogue(whole[0], "One.", "Two."),
        *dialogue(lacking[0], "One."),
        *dialogue(empty[0], "One.", " \n"),
        *(without_id, Origin(without_id.prompt_key, "mt_bench"), *responses(without_id, "Yes.")),
    )

    report, rows = export("fastchat")

    assert [row["question_id"] for row in rows] == [1]
    assert report.refused == Counter(
        a_turn_is_missing=1, answer_is_empty=1, another_turn_is_empty=1, question_has_no_id=1
    )
    assert (report.n_answers + report.refused.total(), report.n_unanswered) == (6, 1)


def test_fastchat_refuses_a_second_answer_whose_first_is_not_there(fill, export):
    whole, orphan = question(1), question(2)
    second = Response(orphan[0][1].prompt_key, MODEL.source_key, "Two.", previous_key=77)
    fill(MODEL, *whole[0], *whole[1], *orphan[0], *orphan[1], *dialogue(whole[0], "One.", "Two."), second)

    report, _ = export("fastchat")

    assert report.refused == Counter(a_turn_is_missing=1)


def test_a_sample_behind_a_gap_would_change_its_number_and_is_refused(fill, export):
    prompts, origins = question(1)
    fill(MODEL, *prompts, *origins, *dialogue(prompts, "A.", "B."), *dialogue(prompts, "C.", "D.", sample=2))

    report, (row,) = export("fastchat")

    assert [choice["turns"] for choice in row["choices"]] == [["A.", "B."]]
    assert report.refused == Counter(another_sample=2)


def arena(question_id, *answers, **options):
    prompt = Prompt.of_user(f"{question_id}?")
    origin = Origin(prompt.prompt_key, "arena_hard", question_id, ("arena_hard",))
    return [prompt, origin, *responses(prompt, *answers, **options)]


def test_arena_hard_without_a_tokenizer_has_lengths_as_imported_or_null_and_says_so(fill, export):
    length = Settings.of({"token_len": 3})
    fill(MODEL, NAMED, length, *arena("ab1", "One.", settings_key=length.settings_key), *arena("ab2", "Two.", ""))

    report, rows = export("arena-hard")

    turns = {row["question_id"]: [choice["turns"] for choice in row["choices"]] for row in rows}
    assert turns == {
        "ab1": [[{"content": "One.", "token_len": 3}]],
        "ab2": [[{"content": "Two.", "token_len": None}]],
    }
    assert list(rows[0]) == ["question_id", "answer_id", "model_id", "choices", "tstamp"]
    assert report.token_len == "no tokenizer was given: 1 as imported, 1 null"
    assert report.refused == Counter(answer_is_empty=1)


def test_arena_hard_counts_tokens_with_the_tokenizer_given(fill, export, monkeypatch):
    monkeypatch.setattr(
        "tsodata.exporters.benchmarks.load_tokenizer", lambda _: lambda text, **_: {"input_ids": text.split()}
    )
    fill(MODEL, *arena("ab1", "One two three."))

    report, (row,) = export("arena-hard", tokenizer="words")

    assert row["choices"][0]["turns"] == [{"content": "One two three.", "token_len": 3}]
    assert report.token_len == "counted with words"


def test_alignbench_adds_the_answer_to_the_row_of_the_question_file(fill, export, tmp_path):
    asked = [
        {"question_id": 7, "category": "C", "subcategory": "s", "question": "Why?", "reference": "So."},
        {"question_id": 8, "category": "C", "subcategory": "s", "question": "How?", "reference": "Thus."},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in asked))
    records = []
    for text, answers in {"How?": ["Like this."], "Why?": ["Because.", "Hm."], "Who?": ["Me."]}.items():
        prompt = Prompt.of_user(text)
        records += [prompt, Origin(prompt.prompt_key, "alignbench"), *responses(prompt, *answers)]
    fill(MODEL, NAMED, *records)

    report, rows = export("alignbench", questions=path)

    assert rows == [
        {**asked[0], "model_id": "base-7b", "answer_id": "7_base-7b", "answer": "Because."},
        {**asked[1], "model_id": "base-7b", "answer_id": "8_base-7b", "answer": "Like this."},
    ]
    assert report.refused == Counter(another_sample=1, not_among_the_questions=1)


def test_alignbench_without_its_questions_says_what_to_pass(export):
    with pytest.raises(UsageError, match="pass --questions FILE"):
        export("alignbench")


def test_what_alpaca_eval_holds_is_the_same_answers_when_read_back(fill, store, export, read_back, tmp_path):
    fill(
        MODEL,
        NAMED,
        *alpaca("Name a bird.", " A wren.\n"),
        *alpaca("Name a tree.", "Oak \u2028 or elm.", dataset="oasst"),
    )
    export("alpaca-eval")

    (tmp_path / "alpaca-eval.out").rename(tmp_path / "outputs.json")
    assert read_back(("alpaca-eval", tmp_path / "outputs.json")) == keys_in(store)


def test_what_fastchat_holds_is_the_same_answers_when_read_back(fill, store, export, read_back, tmp_path):
    prompts, origins = question(81)
    fill(
        MODEL,
        NAMED,
        *prompts,
        *origins,
        *dialogue(prompts, "One. ", "Two."),
        *dialogue(prompts, "Uno", "Dos", sample=1),
    )
    export("fastchat")
    (tmp_path / "fastchat.out").rename(tmp_path / "answers.jsonl")
    turns = [str(prompt.messages[-1]["content"]) for prompt in prompts]
    (tmp_path / "question.jsonl").write_text(json.dumps({"question_id": 81, "category": "writing", "turns": turns}))

    files = (("mt-bench-questions", tmp_path / "question.jsonl"), ("mt-bench-answers", tmp_path / "answers.jsonl"))
    assert read_back(*files) == keys_in(store)


def test_a_file_is_written_once_and_another_is_left_alone(fill, export, tmp_path):
    fill(MODEL, *alpaca("Name a bird.", "A wren."))
    first, _ = export("alpaca-eval")
    before = (tmp_path / "alpaca-eval.out").stat().st_ino

    assert export("alpaca-eval")[0].file_sha256 == first.file_sha256
    assert (tmp_path / "alpaca-eval.out").stat().st_ino == before
    with pytest.raises(ExportRefusedError, match="is there with other content; pass --overwrite"):
        export("alpaca-eval", model="other")
    assert json.loads((tmp_path / "alpaca-eval.out").read_text())[0]["generator"] == "base/-/7"


def test_a_disk_that_refuses_leaves_nothing(fill, export, monkeypatch, tmp_path):
    fill(MODEL, *alpaca("Name a bird.", "A wren."))

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ExportRefusedError, match=r"not written \(No space left on device\); make room"):
        export("alpaca-eval")
    assert sorted(path.name for path in tmp_path.iterdir() if "duckdb" not in path.name) == []


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (("nobody", "alpaca-eval"), UnknownNameError, "no source 'nobody'"),
        ((MODEL.label, "csv"), UsageError, "no answer file 'csv'; known are alpaca-eval, fastchat"),
        (
            (MODEL.label, "fastchat"),
            ExportRefusedError,
            "no question of 'mt_bench' has an answer of it; pass --dataset",
        ),
    ],
)
def test_what_cannot_be_written_is_one_clear_line(fill, store, asked, error, message):
    fill(MODEL, *alpaca("Name a bird.", "A wren."))

    with pytest.raises(error, match=message):
        export_answers(store, asked[0], to=asked[1], out=store.path.with_name("out"))
    assert not store.path.with_name("out").exists()
