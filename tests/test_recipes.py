"""Recipes as data."""

import pytest

from tsodata.errors import RecipeError
from tsodata.recipes import BUILT_IN, load_recipe

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
    ],
)
def test_a_recipe_that_cannot_be_meant_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(written(tmp_path, text))


def test_an_unknown_recipe_is_told_with_the_built_in_ones():
    with pytest.raises(RecipeError, match="tso, weighted, max_min"):
        load_recipe("best")
