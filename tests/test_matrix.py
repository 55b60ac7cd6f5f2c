"""The matrix around a base, worked by hand."""

import pytest

from tsodata.errors import UnknownNameError, UsageError
from tsodata.matrix import ModelMatrix, Roster, VersionOrdering, natural_order
from tsodata.records import Source

GRID = {7: ("pre-1.3", "v1.3", "v1.5"), 13: ("pre-1.3", "v1.3", "v1.5"), 33: ("v1.3",)}
CELLS = [Source.model("vicuna", version, size) for size, versions in GRID.items() for version in versions]
OTHERS = [Source.people(), Source.model("llama-chat", "2", 70), Source.model("bard")]


def labels(sources):
    return sorted(source.label for source in sources)


def test_versions_sort_by_the_value_of_their_numbers_with_pre_before_its_release():
    assert natural_order(["v1.10", "v1.5", "pre-1.3", "v1.3"]) == ["pre-1.3", "v1.3", "v1.5", "v1.10"]


def test_chosen_sources_are_people_and_the_newest_version_of_every_larger_size():
    matrix = ModelMatrix.around("vicuna/v1.5/13", [*CELLS, *OTHERS])

    assert labels(matrix.chosen) == ["human", "vicuna/v1.3/33"]


def test_rejected_sources_are_older_versions_of_the_size_and_all_versions_of_smaller_ones():
    matrix = ModelMatrix.around("vicuna/v1.5/13", [*CELLS, *OTHERS])

    assert labels(matrix.rejected) == [
        "vicuna/pre-1.3/13",
        "vicuna/pre-1.3/7",
        "vicuna/v1.3/13",
        "vicuna/v1.3/7",
        "vicuna/v1.5/7",
    ]


def test_newer_versions_of_the_base_size_stand_on_neither_side():
    matrix = ModelMatrix.around("vicuna/v1.3/13", CELLS)

    assert matrix.role_of(Source.model("vicuna", "v1.5", 13)) is None


def test_a_stated_order_decides_which_version_is_newest():
    order = VersionOrdering(("v1.5", "v1.3", "pre-1.3"), "--versions")

    matrix = ModelMatrix.around("vicuna/v1.5/13", CELLS, order)

    assert labels(matrix.role("older")) == []


def test_a_stated_order_that_lacks_a_version_is_refused():
    with pytest.raises(UsageError, match=r"lacks v1\.5"):
        ModelMatrix.around("vicuna/v1.5/13", CELLS, VersionOrdering(("pre-1.3", "v1.3"), "--versions"))


def test_a_base_that_is_not_there_is_told_with_what_is():
    with pytest.raises(UnknownNameError, match=r"no source 'vicuna/v9/13'.*vicuna/v1\.5/13"):
        ModelMatrix.around("vicuna/v9/13", CELLS)


def test_a_base_is_found_with_its_size_spelled_in_another_way():
    assert ModelMatrix.around("vicuna/v1.5/13B", CELLS).base.label == "vicuna/v1.5/13"


def test_a_model_without_a_size_stands_in_no_matrix():
    with pytest.raises(UsageError, match="stands in no matrix"):
        ModelMatrix.around("bard", OTHERS)


def test_versions_without_numbers_ask_for_a_stated_order():
    assert "state the order" in VersionOrdering.natural(["alpaca", "flan"]).describe()


def test_a_digit_that_is_no_decimal_has_a_place_in_the_order():
    assert natural_order(["v\u00b2", "v1"]) == ["v\u00b2", "v1"]


def test_a_name_is_looked_up_among_all_sources_and_a_role_around_the_base():
    cells = [Source.model("m", "v1", 7), Source.model("m", "v2", 7), Source.model("other")]
    sources = (Source.people(), *cells)
    with_base = Roster(sources, ModelMatrix.around("m/v2/7", sources))

    for roster in (with_base, Roster(sources)):
        assert roster.find("everybody") == sources
        assert roster.find("human") == sources[:1]
        assert roster.find("other") == sources[-1:]
    assert with_base.find("older") == (cells[0],)
    with pytest.raises(UsageError, match="'older' is who stands around a base model: name it with --base"):
        Roster(sources).find("older")
