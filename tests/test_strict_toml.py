"""Records from TOML, with nothing that was not meant."""

from dataclasses import dataclass
from typing import Literal

import pytest

from tsodata.errors import RecipeError
from tsodata.strict_toml import read_record, read_table


@dataclass(frozen=True)
class Walk:
    steps: int
    pace: float | None = None
    stops: tuple[str, ...] = ()
    way: Literal["there", "back"] = "there"


def read(table):
    return read_record(Walk, table, "walk", refuse=RecipeError)


def test_arrays_become_tuples_and_whole_numbers_serve_as_any():
    assert read({"steps": 3, "pace": 2, "stops": ["a", "b"]}) == Walk(3, 2, ("a", "b"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([], r"walk = \[\] is not a table"),
        ({}, "walk needs steps"),
        ({"steps": 1, "step": 2}, "walk: no setting 'step'; known are pace, steps, stops, way"),
        ({"steps": True}, "steps = True is not of the right type"),
        ({"steps": 1, "pace": float("nan")}, "pace = nan is not of the right type"),
        ({"steps": 1, "stops": ["a", 2]}, r"stops = \['a', 2\] is not of the right type"),
        ({"steps": 1, "way": "up"}, "way = 'up' is not of the right type"),
    ],
)
def test_what_is_not_meant_is_refused_with_the_callers_error(table, message):
    with pytest.raises(RecipeError, match=message):
        read(table)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a = ", "not valid TOML"), (b"a = '\xff'", "not valid TOML"), (None, "no such file")],
)
def test_a_file_that_is_no_toml_is_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "walk.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(RecipeError, match=f"walk.toml: {message}"):
        read_table(path, refuse=RecipeError)
    with pytest.raises(RecipeError, match="cannot be read: Is a directory"):
        read_table(tmp_path, refuse=RecipeError)
