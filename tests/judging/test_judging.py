"""A judge at work on a small store: what is asked, what is kept, and that nothing is asked twice."""

import json
import math
from collections import Counter

import pyarrow as pa
import pytest

from tsodata.checks import check_store
from tsodata.engines.protocol import Completion, FailureKind
from tsodata.errors import UnknownNameError, UsageError
from tsodata.judging import Choice, make_task, plan_judging
from tsodata.judging.choosing import Chosen

from .conftest import by_length, fails, shown_answer

DIMENSIONS = ["comprehension", "conciseness", "factuality", "logic"]


def scores(store, columns="*", rest=""):
    return store.sql(f"select {columns} from v_scores {rest}").rows()


def test_every_answer_is_asked_about_in_every_dimension_and_sample(judged, filled):
    report, engine = judged()

    # ten answers that are not empty, four dimensions, three samples
    assert (report.n_items, report.skipped, report.n_asked, report.n_present) == (11, {"empty": 1}, 120, 0)
    assert (report.sums.n_done, len(engine.asked), report.outcomes) == (120, 120, {"ok": 120})
    assert scores(filled, "dimension, count(*), count(distinct sample_index)", "group by all order by all") == [
        (dimension, 30, 3) for dimension in DIMENSIONS
    ]
    assert {row.sampling.temperature for row in engine.asked} == {0.7}
    assert len({request.key for request in engine.asked}) == 120


def test_the_number_that_the_judge_wrote_is_the_score_with_its_words_and_call(judged, filled):
    judged(dimensions=["logic"], n_samples=1, sources=("owl/v1/7",), dataset="poems")

    rows = filled.sql(
        "select value, raw, parser, s.judge, s.rubric from v_scores as s join v_judgements using (judgement_id) "
        "order by value"
    ).rows()
    assert rows == [
        (3.4, "It has 14 characters.\nScore: 3.4", "score-line/2", "j", "tso/2"),
        (3.8, "It has 18 characters.\nScore: 3.8", "score-line/2", "j", "tso/2"),
    ]
    calls = filled.sql("select task, model, is_accepted, n_prompt_tokens from v_calls").rows()
    assert calls == [("judge", "rule-1", True, 10)] * 2
    assert check_store(filled).is_clean


def test_run_again_it_asks_only_for_what_is_missing(judged, filled):
    first, _ = judged(n_samples=1, dimensions=["logic"])
    again, engine = judged(n_samples=2, dimensions=["logic", "factuality"])
    third, idle = judged(n_samples=2, dimensions=["logic", "factuality"])
    other, _ = judged(n_samples=1, dimensions=["logic"], name="another")

    assert first.sums.n_done == 10
    assert (again.n_asked, again.n_present, len(engine.asked)) == (40, 10, 30)
    assert (third.n_missing, idle.asked) == (0, [])
    assert other.sums.n_done == 10
    assert check_store(filled).is_clean


def test_an_interrupted_task_ends_with_the_same_judgements(judged, filled):
    n = 0

    def breaks_off(request):
        nonlocal n
        n += 1
        return by_length(request) if n <= 7 else fails()

    report, _ = judged(breaks_off, n_samples=1)
    judged(n_samples=1)

    assert (report.sums.n_done, report.sums.n_failed) == (7, 33)
    assert filled.sql("select count(*), count(distinct judgement_id) from v_judgements").row(0) == (40, 40)
    assert filled.sql("select failure, count(*) from v_calls group by all order by all").rows() == [
        ("bad_request", 33),
        (None, 40),
    ]


def test_words_without_a_score_are_kept_with_the_reason_and_not_asked_again(judged, filled):
    def mute(request):
        return (
            "I cannot grade this."
            if "odd" in shown_answer(request) or "1" in shown_answer(request)
            else by_length(request)
        )

    judged(mute, n_samples=1, dimensions=["logic"], dataset="sums")
    _, engine = judged(n_samples=1, dimensions=["logic"], dataset="sums")

    assert scores(filled, "value, reason, count(*)", "where reason is not null group by all") == [(None, "refused", 1)]
    assert engine.asked == []


def test_words_that_were_cut_off_are_truncated_and_say_so_in_their_settings(judged, filled):
    judged(lambda _: Completion("Score: 8", "length"), n_samples=1, dimensions=["logic"], dataset="sums")

    assert scores(filled, "distinct value, reason") == [(None, "truncated")]
    (settings,) = filled.sql("select distinct body from judgements join settings using (settings_key)").rows()
    assert json.loads(settings[0])["finish_reason"] == "length"


def test_equal_answers_are_asked_about_once_and_both_are_scored(judged, filled):
    from tsodata.records import Source

    from .conftest import ASKED, answer, store_records

    twin = Source.model("owl", "v0", 7.0)
    store_records(filled, [twin, answer(ASKED[1], twin, "It is 3.")])

    report, engine = judged(n_samples=1, dimensions=["logic"], dataset="sums")

    assert (report.n_missing, len(engine.asked)) == (9, 8)
    assert scores(filled, "count(*), count(distinct response_id)") == [(9, 9)]
    assert filled.sql("select count(*) from v_calls").item() == 8
    assert check_store(filled).is_clean


def test_a_reference_is_shown_where_there_is_one_unless_it_is_not_wanted(judged):
    _, engine = judged(n_samples=1, dimensions=["logic"], sources=("owl/v2/13",))
    _, without = judged(n_samples=1, dimensions=["logic"], sources=("owl/v2/13",), show_references=False, name="k")

    assert sum("<<<REFERENCE\nZero.\nREFERENCE>>>" in r.messages[-1]["content"] for r in engine.asked) == 1
    assert not any("REFERENCE" in request.messages[-1]["content"] for request in without.asked)


def test_a_conversation_of_two_turns_is_shown_with_the_answers_own_first_turn(judged, filled):
    report, engine = judged(lambda _: "Fine. Rating: [[7]]", "single/1", dataset="poems")

    shown = [request.messages[-1]["content"] for request in engine.asked]
    assert report.sums.n_done == 2
    (talk,) = [text for text in shown if "Now in Latin." in text]
    assert "### First answer\nRoses are red.\n" in talk
    assert "### Second answer\nRosae sunt rubrae.\n" in talk
    assert scores(filled, "distinct value, dimension") == [(7.0, "overall")]


def test_a_pair_is_compared_in_both_orders_and_disagreement_is_a_tie_that_is_counted(judged, filled):
    def likes_the_first(request):
        content = request.messages[-1]["content"]
        if "2 and 2" in content:  # judged on its merits
            return "[[A>>B]]" if content.index("It is") < content.index("The sum") else "[[B>>A]]"
        return "[[A=B]]" if "3 and 3" in content else "[[A>B]]"

    report, engine = judged(likes_the_first, "pair/1", sources=("owl/v1/7",), against="owl/v2/13")

    assert (report.n_items, report.n_asked, len(engine.asked)) == (4, 8, 8)
    assert report.orders._asdict() == {
        "n_pairs": 4, "n_decided": 1, "n_ties": 1, "n_disagreements": 2, "n_incomplete": 0,
    }  # fmt: skip
    assert filled.sql("select preference, count(*) from v_preferences group by all order by all").rows() == [
        (0.0, 1), (0.5, 2), (0.75, 4), (1.0, 1),
    ]  # fmt: skip
    assert judged(likes_the_first, "pair/1", sources=("owl/v1/7",), against="owl/v2/13")[1].asked == []
    assert check_store(filled).is_clean


def test_one_token_is_asked_with_its_log_probabilities_and_kept_as_json(judged, filled):
    likeliest = ({"m": math.log(0.75), "M": math.log(0.25)},)

    report, engine = judged(
        lambda _: Completion("m", "length", top_logprobs=likeliest),
        "token/1",
        sources=("owl/v1/7",),
        against="owl/v2/13",
    )

    assert (engine.asked[0].sampling.max_tokens, engine.asked[0].sampling.top_logprobs) == (1, 5)
    assert report.orders.n_disagreements == 4  # the first is always preferred, three to one
    assert [round(row[0], 9) for row in filled.sql("select distinct preference from v_preferences").rows()] == [0.75]


def test_canaries_are_planted_among_the_work_and_ranked_beside_the_answers_they_stand_for(judged, filled):
    def knows_sums(request):
        content = request.messages[-1]["content"]
        asked = int(content.split("How much is ")[1].split()[0])
        return (
            "Score: 9.0"
            if shown_answer(request) in {f"It is {2 * asked + 1}.", f"The sum is {2 * asked}, and so on."}
            else "Score: 2.0"
        )

    report, engine = judged(knows_sums, n_samples=2, dimensions=["logic"], dataset="sums", canary_share=1.0)

    assert (report.n_missing, len(engine.asked)) == (16, 24)  # one canary a prompt, twice
    (rank,) = report.canaries
    assert (rank.n_canaries, rank.n_below, rank.n_without) == (8, 8, 0)
    assert scores(filled, "distinct value", "where rubric = 'tso/2'") == [(9.0,)]
    assert filled.sql("select count(*) from v_responses").item() == 11
    assert check_store(filled).is_clean


def test_a_share_of_the_prompts_gets_canaries_and_none_without(judged):
    assert judged(n_samples=1, dimensions=["logic"], dataset="sums")[0].canaries == ()
    report, _ = judged(n_samples=1, dimensions=["logic"], dataset="sums", canary_share=0.5, name="k")
    assert 0 <= sum(rank.n_canaries for rank in report.canaries) <= 4
    with pytest.raises(UsageError, match="rubric pair/1 compares; canaries are for rubrics that score one answer"):
        judged(rubric="pair/1", against="owl/v2/13", canary_share=0.5)


def test_greedy_is_one_judgement_at_temperature_0(judged):
    _, engine = judged(is_greedy=True, dimensions=["logic"])

    assert (len(engine.asked), {request.sampling.temperature for request in engine.asked}) == (10, {0.0})
    with pytest.raises(UsageError, match="--greedy gives the same words every time; leave --k 3 out"):
        judged(is_greedy=True, n_samples=3)


def test_the_parts_of_a_task_are_the_whole_and_ask_the_same(judged, filled):
    whole = make_task("tso/2", judge="j", dimensions=["logic"], n_samples=1)
    n_whole = plan_judging(filled, whole).n_missing

    parts = [judged(n_samples=1, dimensions=["logic"], shard=(part, 3)) for part in range(3)]

    assert sum(report.sums.n_done for report, _ in parts) == n_whole
    assert plan_judging(filled, whole).n_missing == 0


def test_only_what_nobody_has_scored_is_asked_about_where_so_wished(judged):
    judged(n_samples=1, dimensions=["logic"], sources=("owl/v1/7",))

    report, engine = judged(n_samples=1, dimensions=["factuality"], only_unscored=True)

    assert (report.n_items, len(engine.asked)) == (5, 4)  # of the human one and the four of owl/v2, one is empty


@pytest.mark.parametrize(
    ("rubric", "choice", "error", "message"),
    [
        ("tso/2", {"sources": ("nobody",)}, UnknownNameError, "no source 'nobody' in the store"),
        ("tso/2", {"build": "none"}, UnknownNameError, "no build 'none'"),
        ("tso/2", {"against": "owl/v1/7"}, UsageError, "--against is for comparisons"),
        ("pair/1", {}, UsageError, "rubric pair/1 compares: name --build for its pairs, or --against SOURCE"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(filled, rubric, choice, error, message):
    with pytest.raises(error, match=message):
        plan_judging(filled, make_task(rubric, judge="j", choice=Choice(**choice)))


def test_every_failure_is_a_row_and_no_score(judged, filled):
    report, _ = judged(lambda _: fails(FailureKind.REFUSED), n_samples=1, dimensions=["logic"])

    assert (report.sums.n_failed, report.outcomes, scores(filled)) == (10, {}, [])
    assert filled.sql("select failure, count(*) from v_calls group by all").rows() == [("refused", 10)]


def test_a_slice_of_what_is_missing_ends_with_a_prompt():
    prompts = [1, 1, 1, 2, 3]
    columns = {"response_key": [10, 11, 12, 13, 14], "other_key": [None] * 5, "prompt_key": prompts}
    missing = pa.table({**columns, "question": [1] * 5, "sample_index": [0] * 5})
    slices = list(Chosen(missing, 5, 5, 0, Counter()).iter_slices(2))

    assert [[ask.prompt_key for ask in asks] for asks in slices] == [[1, 1, 1], [2, 3]]
