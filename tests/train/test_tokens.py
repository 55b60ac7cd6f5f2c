"""From rows to token ids: every row ends as an example or as refused, and cuts are counted."""

from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsotrain.config import StageConfig, load_config
from tsotrain.errors import TrainError
from tsotrain.policy import load_tokenizer
from tsotrain.tokens import read_rows, tokenize_pairs

CONFIG = StageConfig()


@pytest.fixture
def tokenizer(base):
    return load_tokenizer(base)


def row(**changes):
    return {
        "pair_id": "pair1-0",
        "prompt": [{"role": "user", "content": "hi"}],
        "chosen": "yes",
        "rejected": "no",
        **changes,
    }


def test_a_response_is_what_the_template_adds_behind_the_prompt(tokenizer):
    (example,) = tokenize_pairs([row()], tokenizer, CONFIG).examples

    assert tokenizer.decode(example.prompt) == "<s>[user]hi[assistant]"
    assert [tokenizer.decode(response) for response in example.responses] == ["yes</s>", "no</s>"]


def test_a_long_prompt_loses_its_beginning_and_a_long_response_its_end(tokenizer):
    config = replace(CONFIG, max_prompt_tokens=4, max_response_tokens=2)
    found = tokenize_pairs([row()], tokenizer, config)
    (example,) = found.examples

    assert tokenizer.decode(example.prompt) == "ant]"
    assert [tokenizer.decode(response) for response in example.responses] == ["ye", "no"]
    assert dict(found.cut) == {"prompt": 1, "chosen": 1, "rejected": 1}


def test_pairs_that_become_equal_when_cut_are_refused_and_counted(tokenizer):
    config = replace(CONFIG, max_response_tokens=1)
    found = tokenize_pairs([row(), row(pair_id="pair1-1", rejected="yup")], tokenizer, config)

    assert len(found.examples) == 1
    assert found.describe().startswith("2 pairs = 1 to train on, 1 refused (both sides are equal")


def test_nothing_left_to_train_on_is_one_line(tokenizer):
    with pytest.raises(TrainError, match="no pair to train on: 1 pairs = 0 to train on, 1 refused"):
        tokenize_pairs([row(rejected="yes")], tokenizer, CONFIG)


def test_a_template_that_rewrites_the_prompt_is_refused_row_by_row(tokenizer_with):
    rewriting = "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"

    with pytest.raises(TrainError, match="1 refused \\(the prompt's tokens do not begin"):
        tokenize_pairs([row()], tokenizer_with(rewriting), CONFIG)


def test_a_template_that_raises_is_told_in_one_line(tokenizer_with):
    with pytest.raises(TrainError, match="the chat template refuses a conversation: no system"):
        tokenize_pairs([row()], tokenizer_with("{{ raise_exception('no system') }}"), CONFIG)


def test_a_file_without_a_column_is_refused_with_the_way_out(tmp_path):
    parquet.write_table(pa.table({"pair_id": ["a"]}), tmp_path / "p.parquet")

    with pytest.raises(TrainError, match="no column 'prompt'; write it with tso-data export --to parquet"):
        read_rows(tmp_path / "p.parquet", ("pair_id", "prompt"), to="parquet")


def test_a_folder_without_a_template_is_refused(tokenizer_with, tmp_path):
    tokenizer_with(None).save_pretrained(tmp_path)

    with pytest.raises(TrainError, match="the tokenizer has no chat template"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 2", "no setting 'epoch'; known are"),
        ("epochs = 0", "epochs = 0: at least 1"),
        ("epochs = 'two'", "epochs = 'two' is not of the right type"),
        ("[loss]\nname = 'simpo'", "loss.name = 'simpo': known are dual_clip"),
        ("[loss]\nname = 'simpo'", "loss.name = 'simpo': known are dual_clip, dpo, ipo, cdpo, sft, rrhf, pro$"),
        ("[optimizer]\nlearning_rate = -1", "optimizer.learning_rate = -1: a number above 0"),
        ("x", "not valid TOML"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path, text, message):
    (tmp_path / "tso.toml").write_text(text)

    with pytest.raises(TrainError, match=message):
        load_config(tmp_path / "tso.toml")


def test_settings_are_read_and_overridden(tmp_path):
    (tmp_path / "tso.toml").write_text("epochs = 3\n[loss]\nname = 'dpo'\n[optimizer]\nbetas = [0.8, 0.9]\n")
    config = load_config(tmp_path / "tso.toml", {"loss.beta": "0.5", "precision": "fp32"})

    assert (config.epochs, config.loss.name, config.loss.beta, config.precision) == (3, "dpo", 0.5, "fp32")
    assert config.optimizer.betas == (0.8, 0.9)
