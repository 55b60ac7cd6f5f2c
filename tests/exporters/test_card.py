"""The data card: a head that Hugging Face reads, and tables for people."""

import json
import re

import pytest
import yaml
from huggingface_hub import DatasetCard

from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run


@pytest.fixture
def card_of(store_for, tmp_path):
    def export_and_read(to, of=None, **options):
        export_build(of or store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"), **options)
        return (tmp_path / "out/README.md").read_text()

    return export_and_read


@pytest.mark.parametrize("to", FORMATS)
def test_hugging_face_reads_the_head_of_the_card(card_of, to):
    head = DatasetCard(card_of(to)).data

    assert (head.pretty_name, head.license, head.task_categories) == ("first", "unknown", ["text-generation"])
    assert head.size_categories == ["n<1K"]
    assert head.tags == ["tso", *FORMATS[to].tags]


@pytest.mark.parametrize("to", FORMATS)
def test_the_head_states_types_beside_json_only_and_names_no_files(card_of, to):
    head = yaml.safe_load(card_of(to).split("---\n")[1])

    assert ("features" in head["dataset_info"]) == FORMATS[to].is_json
    assert "configs" not in head


def test_the_tables_hold_every_pair_and_both_sides(card_of, make_store, pairs, refused_pairs):
    card = card_of("trl", of=make_store(*pairs.values(), *refused_pairs))

    counts = dict(re.findall(r"^\| (written, \w+|refused: \w+) \| (\d+) \|$", card, re.MULTILINE))
    assert counts == {
        "written, train": "3",
        "written, test": "1",
        "refused: chosen_equals_rejected": "2",
        "refused: chosen_is_empty": "1",
        "refused: prompt_has_own_turns": "1",
        "refused: rejected_is_empty": "1",
    }
    assert sum(map(int, counts.values())) == 9
    assert "Together 9 pairs; none is left out of this table." in card
    assert "| chosen | base/-/13 | 4 |\n| rejected | base/-/7 | 4 |" in card


def test_the_recipe_stands_in_the_card_as_the_store_has_it(card_of):
    block = card_of("trl").split("## Recipe\n\n")[1].split("\n\n## ")[0]

    assert json.loads(block) == {"n_minibatches": 2, "name": "first"}


def test_a_name_with_bars_and_line_ends_breaks_no_table_and_no_heading(add_pairs_build, tmp_path, pairs):
    from tsodata.store import Store

    store = Store.open(tmp_path / "odd.duckdb", create=True)
    add_pairs_build(store, "a|b\n# c", [pairs["single"]])
    export_build(store, "a|b\n# c", to="trl", out=tmp_path / "out", run=Run("test"))

    assert "\n# a\\|b # c\n" in (tmp_path / "out/README.md").read_text()
