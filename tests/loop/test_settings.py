"""The table [loop]: what may be said, what is refused, and what the stages' settings make of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from loop_place import CELLS, RECIPE, SETTINGS

from tsodata.errors import TsoError, UsageError
from tsotrain.config import LossConfig, load_config, load_tune_config
from tsotrain.loop_config import load_loop
from tsotrain.loop_plans import Mark, Span
from tsotrain.loop_stages import Loop, Policy

POLICY = Policy(1, Path("p"), "abc")
COMMAND = 'command = ["grade", "{store}"]\n'


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "cells.toml").write_text(CELLS)
    (tmp_path / "tso.toml").write_text(SETTINGS + COMMAND)
    return Path("tso.toml")


def test_one_file_holds_the_settings_of_a_loop_and_of_its_stages(settings):
    assert load_loop(settings).n_stages == 4
    assert load_config(settings).batch_pairs == 4
    assert load_tune_config(None, {"loop.passes": "3"}).epochs == 2


def test_every_value_of_a_loop_can_be_said_on_the_command_line(settings):
    found = load_loop(settings, {"loop.passes": "3", "loop.judge.command": '["score"]', "loop.answers.samples": "8"})

    assert (found.n_stages, found.judge.command, found.answers.ask["samples"]) == (6, ("score",), 8)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("loop.minibatches", "0", "loop.minibatches = 0: at least 1"),
        ("loop.passes", "two", "passes = 'two' is not of the right type"),
        ("loop.name", "a/b", "loop.name = 'a/b': letters, digits, and . _ + - within"),
        ("loop.seed", "-1", "loop.seed = -1: at least 0"),
        ("loop.base", "m", "'m' is not a cell such as vicuna/v1.5/13"),
        ("loop.max_failed", "1.5", "loop.max_failed = 1.5: a share from 0 to below 1"),
        ("loop.colour", "1", "tso.toml: loop: no setting 'colour'"),
        ("loop.judge.colour", "1", "tso.toml: loop.judge: no setting 'colour'"),
        ("loop.judge.rubric", "tso", "command scores by itself; leave rubric and model out"),
        ("loop.judge.command", "[]", "name a rubric and a model, or a command"),
        ("loop.answers.cell", "m/v1/1", "loop.answers: no setting 'cell'; the loop itself says it"),
        ("loop.answers", "3", "tso.toml: loop.answers = 3 is not a table"),
        ("loop", "3", "tso.toml: no table [loop]; docs/loop.md tells what it holds"),
    ],
)
def test_what_a_loop_cannot_mean_is_refused_in_one_line(settings, name, value, message):
    with pytest.raises(TsoError, match=r"^[^\n]+$") as refused:
        load_loop(settings, {name: value})

    assert message in str(refused.value)


def test_a_loop_needs_a_name_a_base_and_a_policy(tmp_path):
    (tmp_path / "tso.toml").write_text("[loop]\nname = 'l'\n")

    with pytest.raises(TsoError, match="loop needs base, policy"):
        load_loop(tmp_path / "tso.toml")


def test_a_recipe_that_draws_by_scores_needs_somebody_who_gives_them(settings):
    settings.write_text(SETTINGS.removesuffix("[loop.judge]\n"))

    with pytest.raises(TsoError, match="draws by scores, and nobody gives them"):
        Loop.of(load_loop(settings))
    assert not Loop.of(load_loop(settings, {"loop.recipe": "weighted"})).asks_base


def test_a_loss_that_does_not_learn_from_what_the_recipe_makes_is_refused(settings):
    answers = Loop.of(load_loop(settings, {"loop.recipe": "best_of_n"}))

    answers.check_loss(LossConfig("sft"))
    with pytest.raises(TsoError, match="recipe best_of_n makes answers, from which loss 'dpo' does not learn"):
        answers.check_loss(LossConfig("dpo"))


def test_a_recipe_that_keeps_to_a_minibatch_itself_is_refused(settings):
    Path("recipe.toml").write_text(f'{RECIPE}[filters]\nbuild = "b"\nminibatch = 1\n')

    with pytest.raises(TsoError, match="keeps to a minibatch of a build; in a loop the stages do that"):
        Loop.of(load_loop(settings))


@pytest.fixture
def made(settings):
    """Make a loop of the settings, some of them said otherwise."""
    return lambda **said: Loop.of(load_loop(settings, {f"loop.{name}": value for name, value in said.items()}))


def asked(loop, number):
    return loop.asks_of(loop.stage(number), POLICY)


def test_the_base_does_not_stand_in_the_matrix_too(made):
    Path("cells.toml").write_text(CELLS.replace("m/v1/1", "m/v2/1"))

    with pytest.raises(UsageError, match="m/v2/1 is the base"):
        asked(made(), 1)


def test_the_first_stage_asks_all_cells_alike_unless_they_say_otherwise(made):
    other, base = asked(made(), 1)

    assert (other.source.label, other.n_samples, other.sampling.max_tokens) == ("m/v1/1", 1, 6)
    assert (base.source.label, base.n_samples, base.sampling.max_tokens) == ("m/v2/1", 3, 6)
    assert (base.build, base.model, base.options.revision) == (None, "p", "abc")


def test_a_later_stage_asks_the_base_on_its_minibatch_alone(made):
    (base,) = asked(made(), 4)

    assert (base.source.label, base.build, base.minibatch) == ("m/v2/1", "l", 2)
    assert asked(made(recipe="weighted"), 4) == []  # no pool draws the base's answers


def test_a_policy_at_an_endpoint_goes_by_a_name_with_its_stage(made):
    answers = '{ engine = "openai", model = "owl-{stage}" }'

    assert asked(made(answers=answers), 2)[0].model == "owl-2"


def test_an_engine_that_runs_folders_takes_no_name(made):
    with pytest.raises(UsageError, match="engine transformers runs each policy's own folder; leave model out"):
        asked(made(answers='{ engine = "transformers", model = "owl" }'), 1)


def test_stages_go_round_the_minibatches_and_each_has_a_build_of_its_own(made):
    stages = made().stages

    assert [(stage.minibatch, stage.in_pass) for stage in stages] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert [stage.build for stage in stages] == ["l", "l@2", "l@3", "l@4"]
    assert stages[3].folder == Path("stages/l/4")


def test_a_later_stage_draws_the_base_by_its_policy_on_one_minibatch(made):
    loop = made()
    first, later = (loop.recipe_of(loop.stage(number), POLICY) for number in (1, 4))

    assert first == loop.recipe
    assert (later.filters.build, later.filters.minibatch, later.minibatches) == ("l", 2, 1)
    assert (later.pools["self"].policy, later.pools["matrix"].policy) == ("abc", None)
    assert (first.seed, later.seed) == (43, 44)  # of the second pass


def test_a_later_stage_takes_all_that_its_minibatch_gives(made, tmp_path):
    (tmp_path / "recipe.toml").write_text(f"n = 12\nheld_out = 0.25\n{RECIPE}")
    loop = made()
    later = loop.recipe_of(loop.stage(2), POLICY)

    assert (loop.recipe.n, later.n, loop.recipe.held_out, later.held_out) == (12, None, 0.25, 0.0)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (("stage", 5), None, "there is no stage 5: l has the stages 1 to 4"),
        (None, ("stage", 0), "there is no stage 0"),
        (None, ("pairs", 1), "'pairs' is no place in a loop; say stage, answers, judge, build, train"),
        (("judge", 2), ("answers", 2), "answers 2 comes before judge 2; nothing would run"),
    ],
)
def test_a_span_that_is_none_is_refused(settings, start, end, message):
    with pytest.raises(UsageError, match=message):
        Span.of(load_loop(settings), start, end)


def test_a_span_holds_what_lies_between_its_marks(settings):
    span = Span(Mark("build", 1), Mark("judge", 2))
    steps = [(stage, step) for stage in (1, 2, 3) for step in ("answers", "judge", "build", "train")]

    assert [place for place in steps if span.holds(*place)] == [
        (1, "build"), (1, "train"), (2, "answers"), (2, "judge"),
    ]  # fmt: skip
    assert all(Span.of(load_loop(settings), None, None).holds(*place) for place in steps)


def test_a_loop_is_planned_without_torch():
    words = "import sys, tsotrain.loops; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_the_settings_that_the_page_shows_are_settings(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "loop.md").read_text()
    (tmp_path / "tso.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    shown = load_loop(tmp_path / "tso.toml")

    assert (shown.name, shown.n_stages, shown.judge.rubric) == ("main", 3, "tso/2")
    assert load_config(tmp_path / "tso.toml").epochs == 2
