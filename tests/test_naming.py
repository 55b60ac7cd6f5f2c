import json
import re

import pytest

from tsodata.errors import ImportRefusedError, UsageError
from tsodata.naming import Cell, ModelsTable, Naming
from tsodata.records import Source, VersionOrder

VICUNA_7B = Source.model("vicuna", "v1.5", 7.0)
VICUNA_13B = Source.model("vicuna", "v1.5", 13.0)


def table(tmp_path, text, name="models.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return ModelsTable.read(path)


def stored(**names):
    return {name: frozenset(sources) for name, sources in names.items()}


@pytest.mark.parametrize(
    ("size", "billions"),
    [("7", 7.0), ("7B", 7.0), ("1.3b", 1.3), ("500M", 0.5), ("1T", 1000.0), ("", None), ("-", None)],
)
def test_a_models_table_reads_sizes_as_people_write_them(tmp_path, size, billions):
    models = table(tmp_path, f"name,family,version,size\nm,f,v,{size}\n")

    assert models.cells == {"m": frozenset({Cell("f", "v", billions)})}


def test_a_models_table_may_be_json_and_name_its_columns_otherwise(tmp_path):
    rows = [{"model_name_in_file": "m", "family": "f", "version": 1.5, "size_B": 7}, {"model": "n", "family": "g"}]

    assert table(tmp_path, json.dumps(rows), "models.json").cells == {
        "m": frozenset({Cell("f", "1.5", 7.0)}),
        "n": frozenset({Cell("g", None, None)}),
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name,family,size\nm,f,7\nn,f,big\n", 2, "size 'big' is not a number of parameters"),
        ("name,family\n,f\n", 1, "needs a column 'name'"),
        ("name,family\nm,f,g\n", 1, "this row has 3 fields, and the header 2"),
        ("name,family,version,version_order\nm,f,a,first\n", 1, "could not convert"),
        ("name,family,version,version_order\nm,f,a,nan\n", 1, "version_order 'nan' is not a number"),
        ("name,family,version,version_order\nm,f,a,1\nn,f,a,2\n", 2, "version 'a' of 'f' has two places"),
    ],
)
def test_a_models_table_that_cannot_be_meant_is_refused_with_its_line(tmp_path, text, *, line, words):
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        table(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path / 'models.csv'}:{line}: ")


def test_a_models_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ImportRefusedError, match="no such file"):
        ModelsTable.read(tmp_path / "gone.csv")


def test_version_order_numbers_the_versions_of_each_family_oldest_first(tmp_path):
    models = table(
        tmp_path,
        "name,family,version,version_order\na,f,new,10\nb,f,old,9\nc,f,old,9\nd,g,only,1\ne,g,unranked,\n",
    )  # 9 stands before 10 as a number, behind it as text

    assert models.orders == (
        VersionOrder("f", ("old", "new"), "models table"),
        VersionOrder("g", ("only",), "models table"),
    )


def test_the_models_table_stands_above_the_flags_and_the_flags_above_the_store(tmp_path):
    models = table(tmp_path, "name,family,version,size\nm,vicuna,v1.5,7\n")
    names = stored(m=[VICUNA_13B], n=[VICUNA_13B])

    assert Naming(models, Cell("other"), names).source("m") == VICUNA_7B
    assert Naming(models, Cell("other"), names).source("n") == Source.model("other")
    assert Naming(models, Cell(), names).source("n") == VICUNA_13B


def test_flags_fill_what_the_models_table_leaves_open(tmp_path):
    models = table(tmp_path, "name,family,version,size\nm,vicuna,,7\n")

    assert Naming(models, Cell("other", "v1.5", 13.0)).source("m") == VICUNA_7B


def test_a_name_that_nothing_places_is_kept_outside_every_matrix_and_told():
    naming = Naming()

    assert naming.source("some-model") == Source.model("some-model")
    assert naming.source("some-model").size_b is None
    assert naming.unplaced == {"some-model"}


def test_a_name_that_only_an_earlier_import_kept_is_told_again():
    naming = Naming(stored=stored(m=[Source.model("m")]))

    assert naming.source("m") == Source.model("m")
    assert naming.unplaced == {"m"}


def test_a_placed_name_is_not_told(tmp_path):
    naming = Naming(table(tmp_path, "name,family\nm,f\n"), stored=stored(n=[VICUNA_7B]))
    naming.source("m")
    naming.source("n")

    assert naming.unplaced == set()


def test_a_name_of_two_cells_in_the_models_table_is_refused(tmp_path):
    models = table(tmp_path, "name,family,size\nm,f,7\nm,f,13\n")

    with pytest.raises(UsageError, match="'m' stands for 2 cells in the models table"):
        Naming(models).source("m")


def test_the_same_row_twice_in_the_models_table_is_one_cell(tmp_path):
    assert Naming(table(tmp_path, "name,family,size\nm,f,7\nm,f,7B\n")).source("m") == Source.model("f", None, 7.0)


def test_a_name_of_two_cells_in_the_store_is_refused_unless_flags_say_which():
    names = stored(m=[VICUNA_7B, VICUNA_13B])

    with pytest.raises(UsageError, match="'m' stands for 2 cells in the store; pass --models"):
        Naming(stored=names).source("m")
    assert Naming(flags=Cell("vicuna", "v1.5", 7.0), stored=names).source("m") == VICUNA_7B


def test_flags_never_place_two_names_in_one_cell():
    naming = Naming(flags=Cell("vicuna", "v1.5", 7.0))

    assert naming.source("m") == VICUNA_7B
    assert naming.source("m") == VICUNA_7B
    with pytest.raises(UsageError, match="name one cell, but the files hold 'm' and 'n'"):
        naming.source("n")


def test_a_version_or_size_without_a_family_is_refused_rather_than_ignored():
    with pytest.raises(UsageError, match="place no model without --family"):
        Naming(flags=Cell(None, "v1.5", 7.0)).source("m")


def test_files_that_name_no_model_take_the_cell_of_the_flags():
    assert Naming(flags=Cell("vicuna", "v1.5", 7.0)).flagged() == VICUNA_7B
    assert Naming().flagged() is None
