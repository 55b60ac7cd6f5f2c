"""The tables that people write: prices, and cells with their models."""

import pytest

from tsodata.engines.protocol import Sampling
from tsodata.errors import UsageError
from tsodata.generating import PriceTable, make_ask, read_matrix
from tsodata.runner import Prices

MATRIX = """
[[cells]]
cell = "owl/v1/7"
model = "owl-7b"
endpoint = "http://a/v1"
temperature = 0

[[cells]]
cell = "owl/v1/13"
engine = "transformers"
model = "models/owl-13b"
samples = 4
settings = { device = "cpu" }
"""
DEFAULTS = {"engine": "openai", "temperature": 0.5, "samples": 2, "timeout": 60.0, "seed": 7}


def written(folder, text):
    path = folder / "t.toml"
    path.write_text(text)
    return path


def test_a_cell_takes_what_it_does_not_say_from_the_command(tmp_path):
    first, second = read_matrix(written(tmp_path, MATRIX), DEFAULTS)

    assert (first.source.label, first.engine, first.model, first.n_samples) == ("owl/v1/7", "openai", "owl-7b", 2)
    assert first.sampling == Sampling(0.0, 0.9, 2048)
    assert (first.options.endpoint, first.options.timeout_s, first.seed) == ("http://a/v1", 60.0, 7)
    assert (second.engine, second.n_samples, second.options.endpoint) == ("transformers", 4, None)
    assert (second.sampling.temperature, second.options.settings) == (0.5, {"device": "cpu"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no [[cells]]"),
        ("cells = 3", "no [[cells]]"),
        ("[[cells]]\ncell = 'owl/v1/7'", "cell 1: no model"),
        ("[[cells]]\nmodel = 'm'", "cell 1: no cell"),
        ("[[cells]]\ncell = 'owl/v1/7'\nmodel = 'm'\ncolour = 1", "no setting 'colour'"),
        ("[[cells]]\ncell = 'owl/v1/7'\nmodel = 'm'\nsamples = 'two'", "samples = 'two' is not a whole number"),
        ("[[cells]]\ncell = 'owl/v1/7'\nmodel = 'm'\nsamples = true", "samples = True is not a whole number"),
        ("[[cells]]\ncell = 'owl'\nmodel = 'm'", "'owl' is not a cell"),
        (
            "[[cells]]\ncell = 'a/v1/7'\nmodel = 'm'\n[[cells]]\ncell = 'a/v1/7'\nmodel = 'n'",
            "a/v1/7 stands there twice",
        ),
        ("[[cells", "t.toml: "),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_the_place(tmp_path, text, words):
    with pytest.raises(UsageError) as refused:
        read_matrix(written(tmp_path, text), DEFAULTS)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_single_cell_needs_a_model():
    with pytest.raises(UsageError, match="--cell and --model: no model"):
        make_ask({"engine": "openai", "cell": "owl/v1/7"}, where="--cell and --model")


def test_without_an_engine_a_folder_runs_here_and_a_name_is_asked_for_elsewhere(tmp_path):
    def engine(**row):
        return make_ask({"cell": "owl/v1/7", **row}, where="here").engine

    assert engine(model=str(tmp_path)) == "transformers"
    assert engine(model=str(tmp_path), endpoint="http://localhost:1/v1") == "openai"
    assert engine(model="owl-7b") == "openai"
    assert engine(model=str(tmp_path), engine="vllm") == "vllm"


def test_prices_are_dollars_per_million_tokens(tmp_path):
    table = PriceTable.read(written(tmp_path, '[models."org/m"]\nprompt = 0.5\ncompletion = 2\n'))

    assert table.of("org/m") == Prices(0.5, 2.0)
    assert table.of("org/m").usd(2_000_000, 500_000) == 2.0
    with pytest.raises(UsageError, match="has no price for 'n'; it has org/m"):
        table.of("n")


@pytest.mark.parametrize(
    "text", ["", "[models.m]\nprompt = 1", "[models.m]\nprompt = -1\ncompletion = 1", "[models]\nm = 1"]
)
def test_prices_that_are_none_are_refused(tmp_path, text):
    with pytest.raises(UsageError, match=r"no \[models\]|needs prompt and completion"):
        PriceTable.read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        PriceTable.read(tmp_path / "none.toml")
