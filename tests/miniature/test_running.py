"""A unit of the miniature on a store of a few problems, its scheduler, its sums, and the page that it writes."""

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from miniature import steps
from miniature.cells import BASE, TEMPLATE, folder_of
from miniature.experiments import Trials, between
from miniature.matrix import FULL, MOST_SEEDS, SMALL, held_back, problems_of
from miniature.page import KEPT, PAGE, PARTS, kept
from miniature.problems import draw_problems
from miniature.steps import EXAM, Place
from miniature.summary import Results, estimate
from miniature.texts import human_answer
from tiny import make_model, save

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def trials(tmp_path):
    torch.set_num_threads(1)
    models = tmp_path / "models"
    save(make_model(seed=1), folder_of(models, BASE), TEMPLATE)
    place = Place(tmp_path, 1)
    draw = random.Random(1)
    for name, n in (("part-1", 6), (EXAM, 3)):
        rows = [
            {"prompt": problem.prompt, "response": human_answer(problem, draw), "human": True}
            for problem in draw_problems(n, draw)
        ]
        steps.import_rows(place, name, rows, dataset=name)
    steps.fill(place, BASE, folder_of(models, BASE), dataset="part-1")
    steps.judge_by_rule(place, [BASE], dataset="part-1")
    return Trials(place, models, n_samples=1, rest_from=8.0)


def test_a_trial_draws_trains_and_sits_the_exam_through_the_store(trials):
    drawn = trials.draw("t", between({"human": 1.0}, BASE))
    found = trials.trial("t", "t", "separate")
    again = trials.trial("t", "t", "separate")

    assert drawn["n_pairs"] == found["n_pairs"] == 6
    assert [line[0] for line in found["curves"]] == [1, 2]  # two epochs of one step
    assert found["curves"][0][5] == pytest.approx(0.05)  # beta times sigma of zero, before the first step
    assert 2 <= found["score"] <= 4.5  # a model that has learnt nothing is at best free of clutter
    assert found["right"] == 0
    assert again == found  # what is there is not made again
    store = trials.place.store
    assert store.sql("select count(*) from v_responses where source = 'exam/t/1'").item() == 3
    assert store.sql("select count(*) from v_scores where source = 'exam/t/1' and judge = 'rule'").item() == 12
    assert store.sql("select count(*) from stages").item() == 1


def test_a_step_that_falls_short_is_an_error(trials, tmp_path):
    (tmp_path / "no").mkdir()
    with pytest.raises(steps.StepError, match="no field 'prompt'"):
        steps.import_rows(trials.place, "bad", [{"response": "x"}], dataset="bad")


def test_seeds_share_no_problem_and_pretraining_sees_none_of_them():
    found = [{problem.prompt for problem in problems_of(FULL, seed)} for seed in range(1, MOST_SEEDS + 1)]

    assert all(len(prompts) == FULL.n_prompts for prompts in found)
    assert len(set.union(*found)) == MOST_SEEDS * FULL.n_prompts
    assert held_back(FULL) == set.union(*found)


def test_an_estimate_is_a_mean_with_students_interval():
    found = estimate([1.0, 2.0, 3.0])

    assert found.mean == 2
    assert found.half == pytest.approx(4.303 / math.sqrt(3))  # sd 1, two degrees of freedom
    assert (found.verdict, estimate([2.0, 2.1, 2.2]).verdict) == ("undecided", "above")
    assert (estimate([-2.0, -2.1, -2.2]).verdict, estimate([-1.0]).verdict) == ("below", "undecided")
    assert (found.told(), estimate([-1.0]).told()) == ("2.00 ± 2.48", "-1.00")


def test_a_seed_that_lacks_a_unit_is_left_out(tmp_path):
    for name, units in (("seed-1", "ab"), ("seed-2", "a")):
        (tmp_path / name).mkdir()
        for unit in units:
            (tmp_path / name / f"{unit}.json").write_text(json.dumps({"of": name}))

    assert [seed["a"]["of"] for seed in Results.read(tmp_path, ["a", "b"]).seeds] == ["seed-1"]


def test_the_page_says_what_the_kept_results_say():
    results = kept((ROOT / PAGE).with_suffix("") / KEPT)
    text = (ROOT / PAGE).read_text(encoding="utf-8")

    assert len(results.seeds) >= 3
    for name, part in PARTS.items():
        body = "\n".join(part(results))
        assert f"<!-- {name} -->\n{body}\n<!-- end -->" in text


@pytest.mark.slow
@pytest.mark.skipif("TSO_SLOW" not in os.environ, reason="ten minutes; TSO_SLOW=1 runs it")
def test_the_small_version_runs_through_and_writes_its_page(tmp_path):
    command = [sys.executable, "-m", "miniature", str(tmp_path), "--small"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "examples")}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, timeout=3600)
    page = (tmp_path / "miniature.md").read_text(encoding="utf-8")

    assert "1 seeds." in page
    assert SMALL.n_seeds == 1
    assert (tmp_path / "miniature" / "rewards.png").is_file()
    again = subprocess.run(command, check=True, cwd=ROOT, env=environment, timeout=600, capture_output=True, text=True)
    assert "done in" not in again.stderr  # everything was there
