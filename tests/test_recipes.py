"""Recipes as data."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tsodata.errors import RecipeError
from tsodata.recipes import BUILT_IN, Filters, Pool, Recipe, Strata, load_recipe

PAGE = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")
WRITTEN = dict(re.findall(r"(?s)\n### (\w+)\n(?:(?!\n#).)*?```toml\n(.*?)```", PAGE))

TSO = """
[pools.matrix]
share = 0.5
[pools.self]
share = 0.5
draw = "max_min"
"""


def written(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_the_papers_recipe_reads_the_same_from_a_file_as_built_in(tmp_path):
    assert load_recipe(written(tmp_path, TSO)).key == BUILT_IN["tso"].key


def test_every_built_in_recipe_is_written_down():
    assert set(WRITTEN) == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_recipe_reads_the_same_from_the_file_that_its_page_shows(tmp_path, name):
    assert load_recipe(written(tmp_path, WRITTEN[name])) == BUILT_IN[name]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_stored_body_gives_the_recipe_back(name):
    recipe = BUILT_IN[name].with_options(seed=7, strata=Strata("tag", {"code": 0.25, "maths": 0.75}))

    assert Recipe.from_body(recipe.body(), seed=7) == recipe


def test_settings_that_came_later_are_not_told_at_their_default_so_that_ids_stay():
    assert BUILT_IN["tso"].key == 10679894006734684063
    assert BUILT_IN["rso"].key == 10454016986957430396
    limited = Recipe(pools={"self": Pool(draw="max_min")}, filters=Filters(min_margin=1.0, datasets=("d",)))
    assert limited.key == 15715783885473809318
    assert "beta" not in BUILT_IN["rso"].body()
    assert '"beta":0.25' in replace(BUILT_IN["rso"], pools={"self": Pool(draw="rso", beta=0.25)}).body()


def test_a_minibatch_and_a_policy_come_back_from_a_stored_body():
    pools = {"self": Pool(draw="max_min", policy="a/2")}
    recipe = Recipe(pools=pools, filters=Filters(build="a", minibatch=2))

    assert Recipe.from_body(recipe.body(), seed=recipe.seed) == recipe
    assert recipe.key != Recipe(pools={"self": Pool(draw="max_min")}).key


def test_what_has_to_be_stated_can_be_left_open_until_the_draw():
    recipe = BUILT_IN["single_negative"]

    with pytest.raises(RecipeError, match="pool matrix leaves its rejected source open: state it with --rejected"):
        recipe.check_stated()
    recipe.with_sides(rejected=("m/v1/7",)).check_stated()
    with pytest.raises(RecipeError, match="leaves its threshold open: state it with --min-score"):
        BUILT_IN["threshold"].check_stated()
    BUILT_IN["threshold"].with_min_score(8.0).check_stated()


def test_stated_sides_go_to_the_weighted_pools_alone():
    pools = BUILT_IN["tso"].with_sides(chosen=("human",), rejected=("smaller", "m/v1/7")).pools

    assert (pools["matrix"].chosen, pools["matrix"].rejected) == ({"human": 1.0}, {"smaller": 1.0, "m/v1/7": 1.0})
    assert pools["self"] == BUILT_IN["tso"].pools["self"]
    with pytest.raises(RecipeError, match="no pool draws by weight, so rejected cannot be stated"):
        BUILT_IN["max_min"].with_sides(rejected=("m/v1/7",))


def test_a_recipe_makes_one_thing():
    halves = {"matrix": Pool(share=0.5), "self": Pool(share=0.5, draw="best_of_n")}

    with pytest.raises(RecipeError, match="matrix makes pairs, self makes answers"):
        Recipe(pools=halves)
    with pytest.raises(RecipeError, match="min_margin limits pairs, and this recipe makes lists"):
        replace(BUILT_IN["ranked"], filters=Filters(min_margin=1.0))
    with pytest.raises(RecipeError, match="pairs_per_prompt limits pairs"):
        BUILT_IN["best_of_n"].with_options(pairs_per_prompt=2)


def test_the_seed_is_no_part_of_a_recipes_key():
    assert BUILT_IN["tso"].with_options(seed=1).key == BUILT_IN["tso"].key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"needs at least one table"),
        ("[pools.matrix]\nshare = 0.4", r"do not add up to 1"),
        ("[pools.matrix]\nweigths = 1", r"pools.matrix: no setting 'weigths'"),
        ("[pools.other]\n", r"pool = 'other': known are matrix, self"),
        ("n = 0\n[pools.matrix]\n", r"n = 0: at least 1"),
        ("n = '3'\n[pools.matrix]\n", r"n = '3' is not of the right type"),
        ("[pools.matrix]\nchosen = { human = -1 }", r"weight human = -1"),
        ("[pools.matrix]\nchosen = 'even'", r"not of the right type|known are uniform"),
        ("held_out = 1.0\n[pools.matrix]\n", r"held_out = 1.0"),
        ("[pools.matrix", r"not valid TOML"),
        ("[pools.self]\ndraw = 'best'", r"draw = 'best': known are weighted, max_min"),
        ("[pools.self]\ndraw = 'rso'\nbeta = 0", r"beta = 0"),
        ("[pools.self]\ndraw = 'best_of_n'\nkeep = 0", r"keep = 0: at least 1"),
        ("[pools.self]\ndraw = 'rso'\nkeep = 2", r"keep belongs to draw = best_of_n, not to rso"),
        (
            "[pools.preferences]\ndraw = 'preferred'\nmin_preference = 0.4",
            r"min_preference = 0.4: from 0.5, undecided, to 1",
        ),
        ("[pools.self]\ndraw = 'rso'\nmin_preference = 0.9", r"min_preference belongs to draw = preferred, not to rso"),
        ("[pools.matrix]\n[verdicts]\njudge = 'j'", r"\[verdicts\] belongs to a pool with draw = preferred"),
        (
            "\n".join(f"[pools.{p}]\nshare = {s}" for p, s in (("matrix", 0.5), ("self", 0.25), ("preferences", 0.25))),
            r"3 pools \(matrix, preferences, self\): at most 2",
        ),
        ("[pools.matrix]\nmin_score = 3.0", r"min_score belongs to draw = best_of_n or threshold, not to weighted"),
        ("[pools.matrix]\n[filters]\nbuild = 'a'", r"filters: build and minibatch go together"),
        ("[pools.matrix]\n[filters]\nminibatch = 1", r"filters: build and minibatch go together"),
        ("[pools.preferences]\ndraw = 'preferred'\npolicy = 'a/1'", r"policy belongs to draw = weighted or max_min"),
        ("strata = 'tag'\n[pools.matrix]", r"strata = 'tag' is not a table"),
        ("[pools.matrix]\n[strata]", r"strata needs by"),
        ("[pools.matrix]\n[strata]\nby = 'size'", r"strata by = 'size': known are tag, dataset, quadrant"),
        ("[pools.matrix]\n[strata]\nby = 'tag'\nshares = { a = 0.5 }", r"together they are 1"),
        ("[pools.matrix]\n[strata]\nby = 'quadrant'\nshares = { up = 1.0 }", r"quadrant = 'up': known are left-flat"),
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(written(tmp_path, text))


def test_an_unknown_recipe_is_told_with_the_built_in_ones():
    with pytest.raises(RecipeError, match="tso, weighted, max_min"):
        load_recipe("best")
