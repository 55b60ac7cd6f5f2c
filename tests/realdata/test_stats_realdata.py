"""Statistics of real answers: published win rates, and shapes as scipy sees them."""

import pytest
from scipy.stats import kurtosis, skew

from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.stats import Question, compute_stats
from tsodata.store import Store

pytestmark = pytest.mark.realdata

PARTS = [
    ("alpaca-eval-annotations", "alpaca_eval/annotations/*/*.json.gz"),
    ("qlora", "qlora_vicuna80/generations/vicuna/*"),
    ("qlora-ratings", "qlora_vicuna80/ratings-gpt4/vicuna/*/*"),
]
PUBLISHED = {  # AlpacaEval 1 over text_davinci_003, AlpacaEval 2 over gpt4_1106_preview
    ("gpt-davinci/003", "llama-chat/2/7"): 71.366,
    ("gpt-davinci/003", "llama-chat/2/13"): 81.095,
    ("gpt-davinci/003", "llama-chat/2/70"): 92.662,
    ("gpt-4/1106-preview", "vicuna/v1.5/13"): 6.722,
}


@pytest.fixture(scope="module")
def looked_at(realdata, tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("realdata") / "s.duckdb", create=True)
    options = ImportOptions(models=realdata / "MODELS.csv")
    with store.run(Run.of_process({})) as run:
        for name, pattern in PARTS:
            import_files(store, name, sorted(realdata.glob(pattern)), run=run, options=options)
    return store, compute_stats(store, Question(sections=("shape", "judges", "wins")))


def test_wins_by_preference_are_the_published_win_rates(looked_at):
    _, report = looked_at
    wins = {
        (figure.subject["against"], figure.subject["source"]): figure.value
        for figure in report.section("wins")
        if figure.name == "wins by preference"
    }

    assert {pair: round(100 * wins[pair], 3) for pair in PUBLISHED} == PUBLISHED


def test_every_prompts_shape_is_that_of_scipy(looked_at):
    store, report = looked_at
    (listed,) = [figure for figure in report.section("shape") if figure.name == "prompts"]
    scores = store.sql(
        "select prompt_id, list(score order by score) from (select prompt_id, response_id, avg(value) as score "
        "from v_scores where value is not null group by all) group by prompt_id"
    )
    of_scipy = {prompt: (skew(values, bias=False), kurtosis(values, bias=False)) for prompt, values in scores.rows()}

    rows = store.sql(listed.sql).select("prompt_id", "g1", "g2").rows()
    assert len(rows) == 80
    for prompt, g1, g2 in rows:
        assert (g1, g2) == pytest.approx(of_scipy[prompt], abs=1e-6)  # an answer's score is in millionths


def test_gpt_4_likes_what_it_sees_first_a_little(looked_at):
    _, report = looked_at
    (first,) = [figure for figure in report.section("judges") if figure.name == "shown first preferred"]

    assert first.n > 1_400
    assert 0.5 < first.interval.low < first.value < 0.56
