"""Loops as people run them: three stages on a tiny Llama, killed and run again, ended and begun where they are told."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loop_place import BASE
from tsocli.train import app
from typer.testing import CliRunner

from tsodata.checks import check_store
from tsodata.store import Store

DYING = Path(__file__).with_name("dying.py")
DOUBLED = "select request_key from calls where failure is null group by all having count(*) > 1"
PAIRS = "select build, pair_id from v_pairs order by all"
GIVEN = """
with sides as (
    select unnest([chosen_key, rejected_key]) as response_key
    from pairs join builds using (build_key) where name = 'l@2' and pool = 'self'
)
select count(distinct sides.response_key), count(distinct sides.response_key) filter (body ->> '$.revision' = $policy)
from sides join calls using (response_key) join settings using (settings_key)
group by sides.response_key
"""


def hashes(report):
    return [stage["policy_sha256"] for stage in report["stages"]]


def test_a_loop_makes_a_policy_a_stage_each_from_the_one_before(undisturbed):
    place, report = undisturbed
    store = Store(place.path)
    with store.reader() as reader:
        behind = reader.frame("queries/policy-evidence", policy="l@2/1").to_dicts()

    assert [stage["build"] for stage in report["stages"]] == ["l", "l@2"]
    assert len(set(hashes(report))) == 2
    assert sorted(name for (name,) in store.sql("select name from v_policies").rows()) == ["l/1", "l@2/1", BASE]
    assert {(row["steps_back"], row["build"]) for row in behind} == {(1, "l@2"), (2, "l")}
    assert {row["judge"] for row in behind if row["source"] == BASE} == {"rule"}


def test_a_stage_draws_its_minibatch_and_the_answers_of_the_policy_before(undisturbed):
    place, report = undisturbed
    store = Store(place.path)
    planned = set(store.sql("select prompt_id from v_pairs where build = 'l' and minibatch = 2").rows())
    drawn = set(store.sql("select prompt_id from v_pairs where build = 'l@2'").rows())
    by_policy = store.sql(GIVEN, {"policy": hashes(report)[0]}).rows()

    assert drawn
    assert drawn <= planned
    assert by_policy
    assert all(n_by_policy == n_answers for n_answers, n_by_policy in by_policy)


def test_a_loop_that_is_done_does_nothing_more(undisturbed):
    place, report = undisturbed
    before = Store(place.path).sql("select count(*) from calls").rows()

    assert hashes(place.loop("--until", "stage", "2")) == hashes(report)
    assert Store(place.path).sql("select count(*) from calls").rows() == before
    assert check_store(Store(place.path)).findings == []


def test_a_plan_tells_what_is_done_what_comes_next_and_what_later(undisturbed):
    place, report = undisturbed
    plan = place.loop("--dry-run", "--until", "judge", "3")

    assert (plan["n_stages"], plan["n_done"]) == (4, 2)
    assert [stage["policy_sha256"] for stage in plan["stages"]] == [*hashes(report), None, None]
    assert [step["state"] for step in plan["stages"][2]["steps"]] == ["next", "next", "later", "later"]
    assert plan["stages"][2]["steps"][0]["detail"] == "m/v2/1 by policy 2 on minibatch 1 of l; 18 missing"
    assert "stage 3 (pass 2), minibatch 1\n  next  answers" in place.run("tso-train", "loop", "--dry-run")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--from", "stage", "3"), 1, "stage 3 of l starts from the policy of stage 2, which is not there (0"),
        (("-s", "loop.policy=nowhere"), 1, "loop.policy: no folder nowhere; a stage starts"),
        (("-s", "loop.recipe=none"), 2, "no recipe 'none'"),
        (("-s", "loop.answers.colour=1"), 2, "loop.answers: no setting 'colour'"),
        (("-s", "batch_pears=4"), 1, "no setting 'batch_pears'"),
        (("--until", "stage", "7"), 2, "there is no stage 7"),
        (
            ("-s", 'loop.judge.command=["false"]', "--from", "judge", "1"),
            1,
            "loop.judge.command ended with exit code 1",
        ),
        (("--from", "build", "1"), 2, "no source 'm/v2/1' in the store"),
    ],
)
def test_what_a_loop_cannot_do_is_one_line_and_an_exit_code(untouched, monkeypatch, words, code, message):
    monkeypatch.chdir(untouched.folder)
    result = CliRunner().invoke(app, ["loop", *words])
    said = result.stderr.strip().splitlines()[-1]

    assert result.exit_code == code
    assert ": error: " in said
    assert message in said


def test_a_build_that_was_drawn_otherwise_is_not_taken_for_the_loops(undisturbed):
    said = undisturbed[0].loop("-s", "loop.seed=7", code=2)

    assert "build 'l' is there, drawn by another recipe, seed or policy; give the loop another name" in said


def test_a_loop_that_is_killed_where_it_keeps_things_ends_as_if_it_had_not_been(undisturbed, place):
    for variable, after in [("DIE_AFTER", 3), ("DIE_IN_STAGE_AFTER", 6)]:
        process = place.start("python", DYING, "loop", "--until", "stage", "1", **{variable: str(after)})
        _, said = process.communicate()
        assert process.returncode == -signal.SIGKILL or "exit code 137" in said, said

    assert hashes(place.loop("--until", "stage", "1")) == hashes(undisturbed[1])[:1]
    assert Store(place.path).sql(DOUBLED).rows() == []
    pairs = Store(undisturbed[0].path).sql(PAIRS).rows()
    assert Store(place.path).sql(PAIRS).rows() == [row for row in pairs if row[0] == "l"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 130)])
def test_what_a_loop_has_started_ends_with_it_and_the_next_one_goes_on(untouched, number, code):
    begun, slow = untouched.folder / "begun", untouched.folder / "slow.py"
    begun.unlink(missing_ok=True)
    slow.write_text("import time; open('begun', 'w').close(); time.sleep(600)")
    command = json.dumps([sys.executable, str(slow)])
    process = untouched.start("tso-train", "loop", "--from", "judge", "1", "-s", f"loop.judge.command={command}")
    while not begun.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    process.communicate(timeout=60)  # it ends once nobody holds its other end any more

    assert process.returncode == code
    said = untouched.loop("--from", "judge", "1", "-s", 'loop.judge.command=["false"]', code=1)
    assert "loop.judge.command ended with exit code 1" in said
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(slow) not in running
