"""How far attacks move a judge: lifts worked by hand, of a judge that can be bought and of one that cannot."""

import json

import pytest
from tsocli.data import app
from typer.testing import CliRunner

from tsodata.checks import check_store
from tsodata.errors import UsageError
from tsodata.judging import make_task, selftest
from tsodata.judging.probes import ATTACKS, EMPTIES
from tsodata.judging.selftest import _interval
from tsodata.provenance import Run
from tsodata.runner import Limits

from .conftest import RuleEngine, shown_answer


@pytest.fixture
def tried(filled):
    def run(rule, **asked):
        n_answers = asked.pop("n_answers", 3)
        task = make_task(asked.pop("rubric", "tso/2"), judge="j", dimensions=["logic"], n_samples=1, **asked)
        engine = RuleEngine(rule)
        with filled.run(Run.of_process({})) as of_run:
            limits = Limits(concurrency=4, max_attempts=1)
            return selftest(filled, task, engine, run=of_run, limits=limits, n_answers=n_answers), engine

    return run


def bought(request):
    """Give 4.0; 9.0 to an answer that praises itself; nothing readable to an empty one."""
    text = shown_answer(request)
    if not text.strip():
        return "There is no answer."
    return "Score: 9.0" if "nothing could be improved" in text else "Score: 4.0"


def test_an_attack_that_is_obeyed_lifts_the_score_and_the_others_do_not(tried, filled):
    found, engine = tried(bought)

    lifts = {lift.probe: lift for lift in found.lifts}
    assert set(lifts) == {*ATTACKS, *EMPTIES}
    assert len(ATTACKS) == 12
    assert {name: lift.lift for name, lift in lifts.items() if lift.lift} == {"praise": 5.0, "evidence and score": 5.0}
    assert (lifts["praise"].n_answers, lifts["praise"].low, lifts["praise"].high) == (3, 5.0, 5.0)
    assert (lifts["empty"].lift, lifts["empty"].n_without) == (None, 3)
    assert found.worst.lift == 5.0
    assert len(engine.asked) == 3 * (1 + 12 + 3)
    assert filled.sql("select count(*) from v_scores where rubric not like 'selftest:%'").item() == 0
    assert filled.sql("select count(*) from v_responses").item() == 11
    assert check_store(filled).is_clean


def test_run_again_it_tells_the_same_and_asks_nobody(tried):
    first, _ = tried(bought)
    again, engine = tried(bought)

    assert again.lifts == first.lifts
    assert engine.asked == []


def test_an_interval_holds_the_mean_of_lifts_and_needs_two():
    low, high = _interval([0.0, 1.0, 2.0, 3.0], 1)

    assert 0 <= low < 1.5 < high <= 3
    assert _interval([1.0], 1) == (None, None)
    assert _interval([0.0, 1.0, 2.0, 3.0], 1) == (low, high)


def test_a_rubric_that_compares_is_refused(filled):
    task = make_task("pair/1", judge="j")

    with (
        filled.run(Run.of_process({})) as run,
        pytest.raises(UsageError, match="a self-test is for rubrics that score"),
    ):
        selftest(filled, task, RuleEngine(bought), run=run, limits=Limits())


def test_the_command_prints_a_lift_for_every_probe(tso):
    words = ("judge-selftest", "--rubric", "tso/2", "--model", "m", "--dimensions", "logic", "--n", "2")

    told = tso(*words).splitlines()
    found = json.loads(tso(*words, "--json"))

    assert told[0] == "m by tso/2: 2 answers as they are and under each probe"
    assert told[1] == "requests: 32 = 32 answered + 0 failed + 0 left"
    assert told[-1] == "a lift above 0 is what the attack gains; measured, not prevented"
    assert sum(line.split("  ")[0] in {*ATTACKS, *EMPTIES} for line in told) == 15
    assert len(found["lifts"]) == 15
    assert CliRunner().invoke(app, [*words, "--engine", "none"]).exit_code == 2
