"""Cells filled from an endpoint: only what is missing, each answer once, each failure a row."""

import json

import pytest

from tsodata.calls import Call
from tsodata.checks import check_store
from tsodata.engines.protocol import Sampling
from tsodata.errors import UnknownNameError, UsageError
from tsodata.generating import Shard, parse_cell, plan_cell
from tsodata.provenance import Run
from tsodata.records import Prompt
from tsodata.runner import Ending, Prices

FAULTS = {
    "rate_limited": 0.05, "server_error": 0.1, "cut_body": 0.05, "html": 0.05, "null_content": 0.05,
    "error_in_body": 0.05, "no_choices": 0.05, "dropped": 0.05, "empty": 0.1,
}  # fmt: skip


def answers(store, columns="prompt_key, sample_index, text"):
    return store.sql(f"select {columns} from responses order by all").rows()


def violations(store):
    return [finding.check.name for finding in check_store(store).findings if finding.check.level == "violation"]


def test_a_cell_is_filled_and_filled_again_asks_for_nothing(with_prompts, ask_for, fill):
    with ask_for(n_samples=2) as (endpoint, ask):
        (report,) = fill(with_prompts, ask)
        (again,) = fill(with_prompts, ask)

    assert (report.n_lacking, report.sums.n_done, report.n_left, report.skipped) == (16, 16, 0, {})
    assert endpoint.n_asked == 16
    assert again.n_lacking == 0
    assert len(answers(with_prompts)) == 16
    assert violations(with_prompts) == []


def test_an_answer_holds_the_cell_its_seed_its_settings_and_its_call(with_prompts, ask_for, fill):
    sampling = Sampling(0.3, 0.8, 50)
    with ask_for(dataset="single", sampling=sampling, options={"revision": "r9"}) as (endpoint, ask):
        fill(with_prompts, ask)

    (row,) = with_prompts.sql("select * from v_responses where text like '%q3'").to_dicts()
    assert (row["source"], row["finish_reason"], row["is_empty"]) == ("owl/v1/7", "stop", False)
    assert row["text"] == f"1 turns, seed {row['seed']}: q3"
    assert json.loads(row["settings"]) == {
        "engine": "openai", "model": "owl-7", "revision": "r9", "template_sha256": None, "tokenizer_sha256": None,
        "temperature": 0.3, "top_p": 0.8, "max_tokens": 50, "stop": [],
    }  # fmt: skip
    (call,) = with_prompts.sql("select * from v_calls where response_id = $r", {"r": row["response_id"]}).to_dicts()
    assert (call["is_accepted"], call["attempt"], call["endpoint"]) == (True, 1, endpoint.url)
    assert call["settings"] == row["settings"]
    assert with_prompts.sql("select distinct served_model, prompt_sha256 from v_replies").rows() == [("owl-7", None)]
    assert {body["max_tokens"] for body in endpoint.bodies} == {50}


def test_whatever_the_endpoint_does_each_answer_is_kept_once_and_each_failure_is_a_row(with_prompts, ask_for, fill):
    with ask_for(faults=FAULTS, n_samples=20, server={"retry_after": "0.01"}) as (endpoint, ask):
        (report,) = fill(with_prompts, ask, max_attempts=20)

    assert (report.sums.n_done, report.sums.n_failed) == (160, 0)
    given = endpoint.kinds
    rows = dict(with_prompts.sql("select failure, count(*) from calls where failure is not null group by all").rows())
    assert rows == {
        "rate_limited": given["rate_limited"],
        "server_error": given["server_error"],
        "cut_body": given["cut_body"],
        "not_json": given["html"],
        "null_content": given["null_content"],
        "error_in_body": given["error_in_body"],
        "no_choices": given["no_choices"],
        "connection": given["dropped"],
    }
    assert sum(rows.values()) == report.sums.failures.total()
    assert with_prompts.sql("select count(*) from v_responses where is_empty").item() == endpoint.kinds["empty"]
    assert violations(with_prompts) == []


def test_a_failure_is_no_answer_and_is_asked_again_the_next_time(with_prompts, ask_for, fill):
    with ask_for(faults={"null_content": 1.0}, dataset="single") as (_, ask):
        (failed,) = fill(with_prompts, ask, max_attempts=2)
    with ask_for(dataset="single") as (_, ask):
        (done,) = fill(with_prompts, ask)

    assert (failed.sums.n_failed, failed.sums.failures.total()) == (5, 10)
    assert (done.sums.n_done, len(answers(with_prompts))) == (5, 5)


def test_samples_that_are_asked_for_later_are_added(with_prompts, ask_for, fill):
    with ask_for(dataset="single") as (endpoint, ask):
        fill(with_prompts, ask)
    with ask_for(dataset="single", n_samples=3) as (endpoint, ask):
        fill(with_prompts, ask)

    assert endpoint.n_asked == 10
    assert len({body["seed"] for body in endpoint.bodies}) == 10


def test_imported_answers_are_not_asked_for(with_prompts, run_import, ask_for, fill):
    run_import("records", [{"prompt": "q1", "response": "mine", "family": "owl", "version": "v1", "size": 7}])
    with ask_for(dataset="single") as (endpoint, ask):
        fill(with_prompts, ask)

    assert endpoint.n_asked == 4


def test_a_dialogue_is_asked_turn_by_turn_with_the_cells_own_answers(with_prompts, ask_for, fill):
    with ask_for(dataset="dialogues", n_samples=2) as (endpoint, ask):
        (report,) = fill(with_prompts, ask)

    assert report.sums.n_done == 6
    last = [body["messages"] for body in endpoint.bodies if len(body["messages"]) == 5]
    assert len(last) == 2
    for said in last:
        assert [m["content"] for m in said if m["role"] == "user"] == ["t1", "t2", "t3"]
        assert said[1]["content"].endswith(": t1")
        assert said[3]["content"].startswith("3 turns")
    assert violations(with_prompts) == []
    chain = with_prompts.sql(
        "select count(*) from responses a join responses b on a.previous_key = b.response_key "
        "and a.sample_index = b.sample_index join responses c on b.previous_key = c.response_key"
    )
    assert chain.item() == 2


def test_a_turn_whose_turn_before_has_no_answer_is_skipped_and_counted(with_prompts, ask_for, fill):
    with ask_for(faults={"refused": 1.0}, dataset="dialogues") as (_, ask):
        (report,) = fill(with_prompts, ask)

    assert (report.n_lacking, report.sums.n_failed, report.skipped) == (3, 1, {"no_earlier_answer": 2})
    assert report.n_left == 0


def test_after_a_stage_only_the_cell_of_the_policy_is_stale(with_prompts, ask_for, fill, register):
    with ask_for() as (_, ask), ask_for(cell="owl/v2/7") as (_, other):
        fill(with_prompts, ask, other)
        register(with_prompts, "owl/v1/7", "sha-1")
        plan, others = plan_cell(with_prompts, ask), plan_cell(with_prompts, other)
        (report,) = fill(with_prompts, ask)

    assert (plan.n_requests, plan.n_stale, others.n_requests) == (8, 8, 0)
    assert report.sums.n_done == 8
    assert plan_cell(with_prompts, ask).n_requests == 0


def test_the_same_words_after_a_stage_are_an_answer_and_not_stale(with_prompts, ask_for, fill, register):
    with ask_for(dataset="single") as (_, ask):
        fill(with_prompts, ask)
        register(with_prompts, "owl/v1/7", "sha-1")
        fill(with_prompts, ask)

    assert len(answers(with_prompts)) == 5  # the endpoint says the same again
    assert with_prompts.sql("select count(*), count(distinct request_key) from calls").rows() == [(10, 10)]
    given = "select settings ->> '$.revision', count(*) from v_calls group by all order by all nulls first"
    assert with_prompts.sql(given).rows() == [(None, 5), ("sha-1", 5)]
    with with_prompts.reader() as reader:
        stale = [row[4] for row in reader.rows("matrix/coverage", dataset=None)]
    assert stale == [0]
    assert plan_cell(with_prompts, ask).n_requests == 0


def test_cells_are_filled_one_after_the_other_within_one_budget(with_prompts, ask_for, fill):
    with ask_for() as (first, ask), ask_for(cell="owl/v2/7") as (second, other):
        reports = fill(with_prompts, ask, other, budget_tokens=90)

    assert [report.sums.ending for report in reports] == [Ending.DONE, Ending.BUDGET]
    assert first.n_answered == 8
    assert 0 < second.n_answered < 8
    assert second.times[0] > first.times[-1]


def test_a_wait_that_is_too_long_parks_with_the_rest_left_to_do(with_prompts, ask_for, fill):
    with ask_for(faults={"rate_limited": 1.0}, server={"retry_after": "300"}) as (endpoint, ask):
        (report,) = fill(with_prompts, ask)

    assert (report.sums.ending, report.n_left) == (Ending.PARKED, 8)
    assert endpoint.n_asked <= 8
    assert with_prompts.sql("select distinct failure from calls").item() == "rate_limited"


def test_a_plan_tells_prompts_requests_and_the_most_that_they_cost(with_prompts, ask_for):
    with ask_for(dataset="single", n_samples=2, sampling=Sampling(max_tokens=10), prices=Prices(1e6, 2e6)) as (_, ask):
        plan = plan_cell(with_prompts, ask)

    assert (plan.n_prompts, plan.n_requests, plan.n_stale) == (5, 10, 0)
    assert plan.n_prompt_tokens == 5  # 10 times two characters, 4 a token
    assert plan.max_completion_tokens == 100
    assert plan.max_usd == 5 + 200


def test_prompts_that_begin_alike_come_together(store, run_import, ask_for, fill):
    texts = ["b two", "a one", "b one", "a two"]
    run_import("records", [{"prompt": text} for text in texts])
    with ask_for(n_samples=2, options={}) as (endpoint, ask):
        fill(store, ask, concurrency=1)

    asked = [body["messages"][0]["content"] for body in endpoint.bodies]
    assert asked == ["a one", "a one", "a two", "a two", "b one", "b one", "b two", "b two"]


def test_a_data_set_without_prompts_is_an_error(with_prompts, ask_for):
    with ask_for(dataset="x") as (_, ask), pytest.raises(UnknownNameError, match="no prompt comes from a data set 'x'"):
        plan_cell(with_prompts, ask)


def test_shards_cover_the_prompts_once_and_keep_dialogues_together(with_prompts, ask_for):
    plans = []
    for part in range(3):
        with ask_for(shard=Shard(part, 3)) as (_, ask):
            plans.append(plan_cell(with_prompts, ask))

    assert sum(plan.n_requests for plan in plans) == 8
    with ask_for(dataset="dialogues", shard=Shard(0, 3)) as (_, ask):
        assert plan_cell(with_prompts, ask).n_requests in (0, 3)


def test_a_reply_that_never_comes_is_a_failure_and_its_prompt_is_asked_again(with_prompts, ask_for, fill):
    faults = {"hang": 0.5}
    with ask_for(faults=faults, dataset="single", options={"timeout_s": 1.0}) as (endpoint, ask):
        (report,) = fill(with_prompts, ask, max_attempts=50)

    assert report.sums.n_done == 5
    assert report.sums.failures["timeout"] >= endpoint.kinds["hang"] > 0


@pytest.mark.parametrize("text", ["owl", "owl/v1", "owl/v1/-", "/v1/7", "owl/v1/big"])
def test_what_is_no_cell_is_refused(text):
    with pytest.raises(UsageError, match="is not a cell such as"):
        parse_cell(text)


def test_a_cell_is_a_family_that_may_hold_a_slash_a_version_and_a_size():
    cell = parse_cell("org/owl/v1/350M")

    assert (cell.family, cell.version, cell.size_b) == ("org/owl", "v1", 0.35)


def test_what_was_given_up_is_asked_for_last(store, run_import, ask_for, fill):
    run_import("records", [{"prompt": text} for text in ("a", "b", "c")])
    given_up = Call(1, 2, "generate", "e", None, "m", 1, Prompt.of_user("a").prompt_key, failure="too_long")
    with store.run(Run.of_process({})) as run, store.transaction(run) as transaction:
        transaction.append({Call: [given_up]})
    with ask_for(options={}) as (endpoint, ask):
        fill(store, ask, concurrency=1)

    assert [body["messages"][0]["content"] for body in endpoint.bodies] == ["b", "c", "a"]
