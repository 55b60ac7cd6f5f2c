"""Loops as people run them: three stages on a tiny Llama, killed and run again, ended and begun where they are told."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loop_place import BASE, Place

from tsodata.checks import check_store
from tsodata.store import Store

DYING = Path(__file__).with_name("dying.py")
DOUBLED = "select request_key from calls where failure is null group by all having count(*) > 1"
PAIRS = "select build, pair_id from v_pairs order by all"


@pytest.fixture
def place(undisturbed, tmp_path):
    """Return a place of one's own, in which nothing has run."""
    for name in ("base", "older"):
        shutil.copytree(undisturbed[0].folder / name, tmp_path / name)
    return Place(tmp_path).fill()


def hashes(report):
    return [stage["policy_sha256"] for stage in report["stages"]]


def test_a_loop_makes_a_policy_a_stage_each_from_the_one_before(undisturbed):
    place, report = undisturbed
    rows = Store(place.path).sql("select * from v_policies order by name").to_dicts()

    assert [stage["build"] for stage in report["stages"]] == ["l", "l@2", "l@3"]
    assert len(set(hashes(report))) == 3
    assert [row["name"] for row in rows] == ["l/1", "l@2/1", "l@3/1", BASE]


def test_every_stage_draws_its_minibatch_and_the_answers_of_the_policy_before(undisturbed):
    place, report = undisturbed
    store = Store(place.path)
    of_minibatch = {
        number: set(store.sql(f"select prompt_id from v_pairs where build = 'l' and minibatch = {number}").rows())
        for number in (1, 2)
    }
    prompts = {name: set(store.sql("select prompt_id from v_pairs where build = $b", {"b": name}).rows())
               for name in ("l@2", "l@3")}  # fmt: skip

    assert prompts["l@2"] <= of_minibatch[2]
    assert prompts["l@3"] <= of_minibatch[1]
    assert all(prompts.values())
    revisions = store.sql(
        "select distinct builds.name, json_extract_string(settings.body, '$.revision') as revision "
        "from pairs join builds using (build_key) join calls on calls.response_key in (chosen_key, rejected_key) "
        "join settings on settings.settings_key = calls.settings_key "
        "where pool = 'self' and builds.name <> 'l' order by 1"
    ).rows()
    assert {("l@2", hashes(report)[0]), ("l@3", hashes(report)[1])} <= set(revisions)


def test_the_lineage_of_the_third_policy_goes_back_through_both_others(undisturbed):
    place, report = undisturbed
    with Store(place.path).reader() as reader:
        rows = reader.rows("queries/policy-lineage", policy=report["stages"][2]["policy"])

    assert {row[0] for row in rows} == {1, 2, 3}


def test_a_loop_that_is_done_does_nothing_more(undisturbed):
    place, report = undisturbed
    before = Store(place.path).sql("select count(*) from calls").rows()

    assert hashes(place.loop("--until", "stage", "3")) == hashes(report)
    assert Store(place.path).sql("select count(*) from calls").rows() == before
    assert check_store(Store(place.path)).findings == []


def test_a_plan_tells_what_is_done_what_comes_next_and_what_later(undisturbed):
    place, report = undisturbed
    plan = place.loop("--dry-run", "--until", "judge", "4")

    assert (plan["n_stages"], plan["n_done"]) == (4, 3)
    assert [stage["policy_sha256"] for stage in plan["stages"]] == [*hashes(report), None]
    assert [step["state"] for step in plan["stages"][3]["steps"]] == ["next", "next", "later", "later"]
    assert plan["stages"][3]["steps"][0]["detail"] == "m/v2/1 by policy 3 on minibatch 2 of l; 24 missing"
    assert "stage 4 (pass 2), minibatch 2\n  next  answers" in place.run("tso-train", "loop", "--dry-run")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--from", "stage", "3"), 1, "stage 3 of l starts from the policy of stage 2, which is not there (0 stages"),
        (("-s", "loop.policy=nowhere"), 1, "loop.policy: nowhere: no such folder"),
        (("-s", "loop.recipe=none"), 2, "no recipe 'none'"),
        (("-s", "loop.answers.colour=1"), 2, "loop.answers: no setting 'colour'"),
        (("-s", "batch_pears=4"), 1, "no setting 'batch_pears'"),
        (("--until", "stage", "7"), 2, "there is no stage 7"),
        (
            ("-s", 'loop.judge.command=["false"]', "--from", "judge", "1"),
            1,
            "loop.judge.command ended with exit code 1",
        ),
        (("--from", "build", "1"), 1, "no prompt"),
    ],
)
def test_what_a_loop_cannot_do_is_one_line_and_an_exit_code(place, words, code, message):
    said = place.loop(*words, code=code).strip().splitlines()[-1]

    assert said.startswith("tso-train: error: ")
    assert message in said


def test_a_build_that_was_drawn_otherwise_is_not_taken_for_the_loops(place):
    place.loop("--until", "build", "1")

    said = place.loop("-s", "loop.seed=7", code=2)
    assert "build 'l' is there, drawn by another recipe, seed or policy; give the loop another name" in said


def test_a_loop_that_is_killed_after_each_thing_it_keeps_ends_as_if_it_had_not_been(undisturbed, place):
    for variable, after in [("DIE_AFTER", 3), ("DIE_AFTER", 4), ("DIE_IN_STAGE_AFTER", 6), ("DIE_IN_STAGE_AFTER", 10)]:
        process = place.start("python", DYING, "loop", "--until", "stage", "1", **{variable: str(after)})
        _, said = process.communicate()
        assert process.returncode == -signal.SIGKILL or "exit code 137" in said, said

    assert hashes(place.loop("--until", "stage", "2")) == hashes(undisturbed[1])[:2]
    assert Store(place.path).sql(DOUBLED).rows() == []
    pairs = Store(undisturbed[0].path).sql(PAIRS).rows()
    assert Store(place.path).sql(PAIRS).rows() == [row for row in pairs if row[0] != "l@3"]


def test_a_stage_does_not_outlive_a_loop_that_is_killed(place):
    (place.folder / "slow.py").write_text("import time; open('begun', 'w').close(); time.sleep(600)")
    slow = json.dumps([sys.executable, str(place.folder / "slow.py")])
    process = place.start("tso-train", "loop", "-s", f"loop.judge.command={slow}")
    while not (place.folder / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    process.wait()
    began = time.monotonic()

    said = place.loop("-s", 'loop.judge.command=["false"]', code=1)
    assert "loop.judge.command ended with exit code 1" in said
    assert time.monotonic() - began < 60
    assert (
        str(place.folder / "slow.py")
        not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    )
