"""The published files, imported whole: the counts that their authors state, and nothing lost on the way."""

from collections import Counter

import pytest

from tsodata.importers import ImportOptions, import_files, loading
from tsodata.provenance import Run
from tsodata.store import Store

pytestmark = pytest.mark.realdata

FILES = (
    ("alpaca-eval", "alpaca_eval/model_outputs/*"),
    ("alpaca-eval-annotations", "alpaca_eval/annotations/*/*"),
    ("self-instruct", "self_instruct/user*"),
    ("tldr-samples", "tldr_instructgpt/*.csv"),
    ("qlora", "qlora_vicuna80/generations/vicuna/*"),
    ("qlora-ratings", "qlora_vicuna80/ratings-gpt4/vicuna/*/*"),
    ("mt-bench-questions", "mt_bench/question.jsonl"),
    ("mt-bench-answers", "mt_bench/model_answer/*"),
    ("mt-bench-judgments", "mt_bench/model_judgment/*"),
)
DATA_TABLES = (
    "sources",
    "source_names",
    "prompts",
    "prompt_origins",
    "responses",
    "shown_responses",
    "judgements",
    "preferences",
    "scores",
)
MEDUSA = "medusa-vicuna-7b-v1.3-1-temperature-0.0-posterior_threshold-0.09-posterior_alpha-0.3"
ALPACA_EVAL = "prompt_id in (select prompt_id from v_prompts where list_contains(tags, 'alpaca_eval'))"


def import_everything(store, folder):
    """Import all files and return the sums of each format."""
    sums = {}
    options = ImportOptions(models=folder / "MODELS.csv")
    with store.run(Run.of_process({})) as run:
        for name, pattern in FILES:
            reports = import_files(store, name, sorted(folder.glob(pattern)), run=run, options=options)
            sums[name] = Counter()
            for report in reports:
                sums[name].update(rows=report.rows, accepted=report.accepted, present=report.present)
    return sums


@pytest.fixture(scope="session")
def imported(realdata, tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("realdata") / "s.duckdb", create=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "PAUSE_S", 0)  # nobody else waits for this store
        yield store, import_everything(store, realdata)


@pytest.fixture
def full_store(imported):
    return imported[0]


def count(store, question):
    return store.sql(f"select count(*) {question}").item()


def test_every_row_of_every_file_is_accepted_or_there_already(imported):
    _, sums = imported

    assert {name: tuple(counts[key] for key in ("rows", "accepted", "present")) for name, counts in sums.items()} == {
        "alpaca-eval": (12_879, 12_879, 0),
        # the same 805 verdicts lie in two files, one of them with glm_preference beside
        "alpaca-eval-annotations": (9_660, 8_855, 805),
        "self-instruct": (252, 252, 0),
        "tldr-samples": (1_200, 1_200, 0),
        "qlora": (1_600, 1_600, 0),
        "qlora-ratings": (3_040, 3_040, 0),
        "mt-bench-questions": (80, 80, 0),
        "mt-bench-answers": (400, 400, 0),
        "mt-bench-judgments": (480, 480, 0),
    }


def test_alpaca_eval_is_sixteen_models_on_805_prompts_but_for_one_missing_answer(full_store):
    # the models of QLoRA's study answered the 80 Vicuna prompts among them, those of MT-Bench two others
    answers = full_store.sql(
        f"select source, count(*) as n from v_responses where source_kind = 'model' and {ALPACA_EVAL} "
        "group by source having n > 80"
    )

    assert count(full_store, f"from v_prompts where {ALPACA_EVAL}") == 805
    by_source = dict(answers.rows())
    assert len(by_source) == 16
    assert sum(by_source.values()) == 12_879
    assert by_source.pop("llama-chat/2/70") == 804
    assert set(by_source.values()) == {805}


def test_two_answers_of_text_davinci_003_are_empty(full_store):
    assert full_store.sql(
        f"select source, count(*) from v_responses where is_empty and {ALPACA_EVAL} and source = 'gpt-davinci/003' "
        "group by source"
    ).rows() == [("gpt-davinci/003", 2)]


def test_people_answered_the_252_prompts_of_self_instruct(full_store):
    assert count(full_store, f"from v_responses where source_kind = 'human' and {ALPACA_EVAL}") == 252
    assert (
        count(
            full_store,
            "from v_prompts semi join (select prompt_id from v_responses where source_kind = 'human') "
            "using (prompt_id) where list_contains(string_split(dataset, ','), 'selfinstruct')",
        )
        == 252
    )
    assert count(full_store, "from v_prompts where list_contains(string_split(dataset, ','), 'selfinstruct')") == 252


def test_tldr_is_100_posts_with_twelve_models_and_a_person_each(full_store):
    tldr = "prompt_id in (select prompt_id from v_prompts where dataset = 'tldr')"

    assert count(full_store, f"from v_prompts where {tldr}") == 100
    assert full_store.sql(
        f"select source_kind, count(*), count(distinct source) from v_responses where {tldr} group by 1 order by 1"
    ).rows() == [("human", 100, 1), ("model", 1_200, 12)]


def test_qlora_ratings_give_guanaco_7b_its_published_shares_of_chatgpt(full_store):
    # 100 * sum(model) / sum(gpt-3.5), where gpt-3.5 is shown first and where it is shown second; the names of the
    # files say it the other way round, which would give 115 on average
    rows = full_store.sql(
        """
        select judgements.response_id = model.response_id as model_first, sum(model.value), sum(gpt35.value)
        from v_judgements as judgements
        join v_scores as model on model.judgement_id = judgements.judgement_id
        join v_scores as gpt35 on gpt35.judgement_id = judgements.judgement_id
        where model.source = 'llama1-qlora/guanaco/7' and gpt35.source = 'gpt35'
        group by 1
        order by 1
        """
    ).rows()

    assert rows == [(False, 577.5, 687.0), (True, 624.0, 694.5)]
    assert [round(100 * model / gpt35, 1) for _, model, gpt35 in rows] == [84.1, 89.8]


def test_mt_bench_gives_vicuna_7b_its_published_average(full_store):
    scores = full_store.sql("select value from v_scores where source = 'vicuna/v1.3/7' and rubric like 'mt-bench/%'")

    assert scores.height == 160
    assert scores["value"].mean() == pytest.approx(6.103, abs=0.0005)


def test_the_answers_in_the_judge_s_prompts_are_those_that_the_model_gave(full_store):
    assert count(full_store, f"from v_scores where source = '{MEDUSA}'") == 160
    assert count(full_store, f"from v_responses where source = '{MEDUSA}'") == 160
    assert count(full_store, f"from v_shown_responses where source = '{MEDUSA}'") == 0
    assert (
        count(full_store, f"from v_scores semi join v_responses using (response_id) where source = '{MEDUSA}'") == 160
    )


def test_the_only_scores_beside_their_scale_are_the_zeros_that_gpt_4_gave_to_flan(full_store):
    assert full_store.sql(
        "select family, version, value, count(*) from v_scores "
        "where value < scale_min or value > scale_max group by all"
    ).rows() == [("llama1-qlora", "flan", 0.0, 11)]


def test_importing_everything_again_adds_nothing(full_store, realdata):
    def counts():
        return {table: count(full_store, f"from {table}") for table in DATA_TABLES}

    with full_store.reader() as reader:
        snapshot = reader.snapshot().key
    before = counts()

    sums = import_everything(full_store, realdata)

    assert counts() == before
    assert {name: tally["accepted"] for name, tally in sums.items()} == {name: 0 for name, _ in FILES}
    with full_store.reader() as reader:
        assert reader.snapshot().key == snapshot
