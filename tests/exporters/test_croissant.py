"""The Croissant description, read by MLCommons' own reader: it is valid, its hashes hold, its fields give the rows."""

import json

import pytest

from tsodata.exporters import FORMATS, export_build
from tsodata.exporters.card import CARD_NAME
from tsodata.provenance import Run

mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed (pip install mlcroissant)")

# mlcroissant 1.1 uses what rdflib 7.6 has marked as old
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
LEFT_OPEN = ("citeAs", "datePublished", "license")  # no time, and nothing that the store does not know


@pytest.fixture
def export(store_for, tmp_path):
    def export_to(to, **options):
        export_build(store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"), **options)
        return tmp_path / "out"

    return export_to


@pytest.mark.parametrize("to", FORMATS)
def test_it_is_valid_and_lacks_only_what_the_store_does_not_know(export, to):
    read = mlcroissant.Dataset(jsonld=str(export(to) / "croissant.json"))

    issues = read.metadata.issues
    assert not issues.errors
    assert [issue for issue in issues.warnings if not any(name in issue for name in LEFT_OPEN)] == []


@pytest.mark.parametrize("to", FORMATS)
def test_its_fields_give_the_first_row_of_the_training_split(export, datasets, tmp_path, to):
    folder = export(to)
    split = FORMATS[to].train
    record = next(iter(mlcroissant.Dataset(jsonld=str(folder / "croissant.json")).records(split)))
    row = datasets.load_dataset(str(folder), split=split, cache_dir=str(tmp_path / "cache"))[0]

    assert {name.removeprefix(f"{split}/"): plain(value, f"{split}/") for name, value in record.items()} == row


def plain(value, prefix):
    """Return a record's value as rows have it: text for bytes, names without their parents', None for NaN."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [plain(item, prefix) for item in value]
    if isinstance(value, dict):
        return {name.rsplit("/", 1)[1]: plain(item, prefix) for name, item in value.items()}
    return None if value != value else value  # noqa: PLR0124  NaN


def test_it_lists_every_file_but_those_that_may_change_with_the_hashes_of_the_manifest(export):
    folder = export("llama-factory")
    described = json.loads((folder / "croissant.json").read_bytes())
    listed = {file["path"]: file["sha256"] for file in json.loads((folder / "manifest.json").read_bytes())["files"]}

    found = {file["contentUrl"]: file["sha256"] for file in described["distribution"]}
    assert found == {path: sha256 for path, sha256 in listed.items() if path not in (CARD_NAME, "croissant.json")}


def test_it_says_which_snapshot_build_recipe_and_seed_it_comes_from(export):
    described = json.loads((export("trl", minibatch=1) / "croissant.json").read_bytes())

    assert described["prov:wasDerivedFrom"]["@id"] == "tso:snap1-ffffffffffffffff"
    activity = described["prov:wasGeneratedBy"]
    assert activity["@id"] == "tso:bld1-0958206f8cee7306"
    assert (activity["tso:seed"], activity["tso:base"], activity["tso:minibatch"]) == (42, "base/7", 1)
    assert json.loads(activity["tso:recipe"]) == {"n_minibatches": 2, "name": "first"}
