"""What each format holds: exact columns and types, and the words of the store."""

import hashlib
import json
import sys
from dataclasses import replace

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsodata.exporters import export_build
from tsodata.exporters.materials import PAIRS
from tsodata.exporters.writing import _without_blank_edges
from tsodata.provenance import Run
from tsodata.records import Prompt

ROLE_FIRST = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
CONTENT_FIRST = pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))
FLAT = [
    ("pair_id", pa.string()),
    ("prompt_id", pa.string()),
    ("prompt", ROLE_FIRST),
    ("chosen", pa.string()),
    ("rejected", pa.string()),
    ("chosen_response_id", pa.string()),
    ("rejected_response_id", pa.string()),
    ("chosen_source", pa.string()),
    ("rejected_source", pa.string()),
    ("chosen_score", pa.float64()),
    ("rejected_score", pa.float64()),
    ("pool", pa.string()),
    ("minibatch", pa.int32()),
    ("split", pa.string()),
]


@pytest.fixture
def export(store, tmp_path):
    def export_to(to, **options):
        export_build(store, "first", to=to, out=tmp_path / to, run=Run("test"), **options)
        return tmp_path / to

    return export_to


def rows_by_id(directory, split):
    """Return the rows of a Parquet export by the pair ids that stand beside them."""
    table = parquet.ParquetFile(directory / f"data/{split}-00000-of-00001.parquet").read()
    pair_ids = (directory / f"pair_ids/{split}.txt").read_text().splitlines()
    return dict(zip(pair_ids, table.to_pylist(), strict=True))


@pytest.mark.parametrize(
    ("to", "train", "columns"),
    [
        ("trl", "train", [("prompt", ROLE_FIRST), ("chosen", ROLE_FIRST), ("rejected", ROLE_FIRST)]),
        (
            "h4",
            "train_prefs",
            [
                ("prompt", pa.string()),
                ("prompt_id", pa.string()),
                ("chosen", CONTENT_FIRST),
                ("rejected", CONTENT_FIRST),
                ("messages", CONTENT_FIRST),
                ("score_chosen", pa.float64()),
                ("score_rejected", pa.float64()),
            ],
        ),
        ("parquet", "train", FLAT),
    ],
)
def test_a_parquet_format_has_exactly_its_columns(export, to, train, columns):
    schema = parquet.read_schema(export(to) / f"data/{train}-00000-of-00001.parquet")

    # Parquet names the items of a list "element", Arrow "item"
    assert [(field.name, str(field.type).replace("element:", "item:")) for field in schema] == [
        (name, str(kind)) for name, kind in columns
    ]


def test_trl_has_every_turn_in_the_prompt_and_one_message_on_each_side(export, pairs):
    rows = rows_by_id(export("trl"), "train")

    assert rows[pairs["multi_turn"].pair_id] == {
        "prompt": [
            {"role": "user", "content": "Name a fruit."},
            {"role": "assistant", "content": "Apple."},
            {"role": "user", "content": "Another one."},
        ],
        "chosen": [{"role": "assistant", "content": "Pear."}],
        "rejected": [{"role": "assistant", "content": "Carrot."}],
    }
    assert rows[pairs["with_system"].pair_id]["prompt"] == [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Say hello."},
    ]


def test_h4_has_the_whole_conversation_on_each_side_and_the_first_user_turn_as_prompt(export, pairs):
    row = rows_by_id(export("h4"), "train_prefs")[pairs["multi_turn"].pair_id]

    turns = [
        {"content": "Name a fruit.", "role": "user"},
        {"content": "Apple.", "role": "assistant"},
        {"content": "Another one.", "role": "user"},
    ]
    assert row == {
        "prompt": "Name a fruit.",
        "prompt_id": hashlib.sha256(b"Name a fruit.").hexdigest(),
        "chosen": [*turns, {"content": "Pear.", "role": "assistant"}],
        "rejected": [*turns, {"content": "Carrot.", "role": "assistant"}],
        "messages": [*turns, {"content": "Pear.", "role": "assistant"}],
        "score_chosen": 8.0,
        "score_rejected": None,
    }


def test_h4_keeps_the_system_message_in_the_conversation_and_out_of_the_prompt(export, pairs):
    row = rows_by_id(export("h4"), "train_prefs")[pairs["with_system"].pair_id]

    assert row["prompt"] == "Say hello."
    assert [turn["role"] for turn in row["chosen"]] == ["system", "user", "assistant"]


def test_flat_rows_say_what_the_store_says(export, store):
    written = {}
    for split in ("train", "test"):
        for row in parquet.ParquetFile(export("parquet") / f"data/{split}-00000-of-00001.parquet").read().to_pylist():
            written[row["pair_id"]] = row

    stored = store.sql(
        "select v_pairs.*, p.messages as prompt, c.text as chosen, r.text as rejected from v_pairs "
        "join v_prompts as p using (prompt_id) join v_responses as c on c.response_id = chosen_response_id "
        "join v_responses as r on r.response_id = rejected_response_id"
    ).to_dicts()
    assert len(stored) == 4
    for row in stored:
        expected = {name: row[name] for name, _ in FLAT}
        expected |= {"chosen": row["chosen"].strip(), "rejected": row["rejected"].strip()}
        assert written[row["pair_id"]] == expected


def test_jsonl_has_the_rows_of_parquet_one_a_line_without_escapes(export):
    lines = (export("jsonl") / "train.jsonl").read_bytes().decode().removesuffix("\n").split("\n")

    table = parquet.ParquetFile(export("parquet") / "data/train-00000-of-00001.parquet").read()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    assert any("Hello — 你好\u2028!" in line for line in lines)


def test_blank_edges_of_answers_are_stripped_and_those_of_prompts_stay(make_store, tmp_path, pairs):
    spec = replace(pairs["single"], prompt=Prompt.of_user(" How high? \n"))
    store = make_store(spec)
    export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"))

    (row,) = rows_by_id(tmp_path / "out", "train").values()
    assert row["chosen"][0]["content"] == "4,806 metres."
    assert row["prompt"][0]["content"] == " How high? \n"


def test_every_character_is_stripped_or_kept_as_python_does():
    texts = [f"{chr(code)}a{chr(code)}" for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    batch = pa.record_batch({"chosen": texts, "rejected": texts})

    assert _without_blank_edges(batch, PAIRS)["chosen"].to_pylist() == [text.strip() for text in texts]


def test_rows_stand_by_pair_id(export, pairs):
    ids = (export("trl") / "pair_ids/train.txt").read_text().splitlines()

    train = [pair.pair_id for pair in pairs.values() if pair.minibatch is not None]
    assert ids == sorted(train)
