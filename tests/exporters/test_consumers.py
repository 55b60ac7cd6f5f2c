"""What each consumer does with the rows first, written down from its source, since most of them pull in torch.

The sources are named in the docstrings of the formats' modules; the versions are those of November 2026.
"""

import itertools
import json

import pytest
import yaml

from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run
from tsodata.records import Prompt


@pytest.fixture
def export(store, tmp_path):
    def export_to(to, **options):
        export_build(options.pop("of", store), "first", to=to, out=tmp_path / "out" / to, run=Run("test"))
        return tmp_path / "out" / to

    return export_to


@pytest.fixture
def load_file(datasets, tmp_path):
    """Load one file as LLaMA-Factory, OpenRLHF and axolotl do: by its kind, without the card beside it."""

    def load(path):
        return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))

    return load


def sharegpt_problem(row, entry):
    """Say why SharegptDatasetConverter would skip a row, or None."""
    tags, columns = entry["tags"], entry["columns"]
    role, turns = tags["role_tag"], row[columns["messages"]]
    if turns and turns[0][role] == tags["system_tag"]:
        turns = turns[1:]
    accepted = ((tags["user_tag"], tags["observation_tag"]), (tags["assistant_tag"], tags["function_tag"]))
    if any(turn[role] not in accepted[position % 2] for position, turn in enumerate(turns)):
        return "a role at the wrong place"
    if len(turns) % 2 == 0:
        return "a ranking prompt that does not end with the user"
    sides = (row[columns["chosen"]], row[columns["rejected"]])
    if not all(isinstance(side, dict) and side[role] in accepted[1] and side[tags["content_tag"]] for side in sides):
        return "a side that is no turn of the assistant"
    return None


def test_llama_factory_finds_its_entries_and_skips_no_row(export, load_file):
    folder = export("llama-factory")
    info = json.loads((folder / "dataset_info.json").read_bytes())

    assert list(info) == ["first", "first_test"]
    for entry, n_rows in zip(info.values(), (3, 1), strict=True):
        assert (entry["formatting"], entry["ranking"]) == ("sharegpt", True)
        rows = load_file(folder / entry["file_name"])
        assert rows.num_rows == n_rows
        assert [sharegpt_problem(row, entry) for row in rows] == [None] * n_rows


def test_llama_factory_would_skip_what_is_refused_for_it(make_store, tmp_path, pairs):
    twice = Prompt(({"role": "user", "content": "One."}, {"role": "user", "content": "Two."}))
    odd = type(pairs["single"])(twice, "Yes.", "No.")
    store = make_store(pairs["single"], odd)

    report = export_build(store, "first", to="llama-factory", out=tmp_path / "out", run=Run("test"))

    assert (report.written, dict(report.refused)) == ({"train": 1}, {"turns_do_not_alternate": 1})
    entry = json.loads((tmp_path / "out/dataset_info.json").read_bytes())["first"]
    row = {
        "conversations": [{"from": "human", "value": turn["content"]} for turn in twice.messages],
        "chosen": {"from": "gpt", "value": "Yes."},
        "rejected": {"from": "gpt", "value": "No."},
    }
    assert sharegpt_problem(row, entry) == "a role at the wrong place"


def test_the_name_in_dataset_info_has_no_comma_at_which_llama_factory_would_split_it():
    files = FORMATS["llama-factory"].side_files('a, "b"/c', {"train": "train.jsonl"})

    assert list(json.loads(files["dataset_info.json"])) == ["a_b_c"]


def test_openrlhf_can_join_the_prompt_with_either_side(export, load_file):
    rows = load_file(export("openrlhf") / "train.jsonl")

    conversations = [row["prompt"] + row[side] for row in rows for side in ("chosen", "rejected")]
    assert len(conversations) == 6
    for turns in conversations:
        assert [turn["role"] for turn in turns].count("assistant") == sum(turn["role"] == "user" for turn in turns)
        assert turns[-1]["role"] == "assistant"


def test_the_flags_of_openrlhf_name_the_columns_and_the_files(export):
    folder = export("openrlhf")
    words = (folder / "README.md").read_text().split()

    flags = dict(itertools.pairwise(words))
    named = [flags[f"--data.{key}_key"] for key in ("prompt", "chosen", "rejected")]
    assert named == [field.name for field in FORMATS["openrlhf"].schema()]
    assert (folder / flags["--data.dataset"]).is_file()
    assert (folder / flags["--eval.dataset"]).is_file()
    assert "--data.apply_chat_template" in words


def test_the_stanza_of_axolotl_names_the_columns_roles_and_files(export, load_file):
    folder = export("axolotl")
    stanza = yaml.safe_load((folder / "axolotl.yaml").read_text())

    assert stanza["rl"] == "dpo"
    for key, n_rows in (("datasets", 3), ("test_datasets", 1)):
        (entry,) = stanza[key]
        assert (entry["type"], entry["ds_type"]) == ("chat_template.default", "json")
        rows = load_file(folder / entry["path"])
        assert rows.num_rows == n_rows
        known = {role for roles in entry["roles"].values() for role in roles}
        fields = entry["message_property_mappings"]
        for row in rows:
            turns = [*row[entry["field_messages"]], row[entry["field_chosen"]], row[entry["field_rejected"]]]
            assert {turn[fields["role"]] for turn in turns} <= known
            assert all(turn[fields["content"]] for turn in turns)


def test_axolotl_finds_each_answer_whole_in_a_template_that_strips_edges(export, load_file):
    for row in load_file(export("axolotl") / "train.jsonl"):
        for side in ("chosen", "rejected"):
            content = row[side]["content"]
            rendered = f"<user>[[dummy_message]]</user><assistant>{content.strip()}</assistant>"
            assert rendered[rendered.find(content) :] == f"{content}</assistant>"


def test_kto_has_each_pair_as_a_desirable_and_an_undesirable_row(export, datasets, tmp_path):
    folder = export("kto")
    rows = list(datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache")))
    ids = (folder / "pair_ids/train.txt").read_text().splitlines()

    assert [row["label"] for row in rows] == [True, False] * 3
    assert ids[::2] == ids[1::2] == sorted(set(ids))
    for chosen, rejected in zip(rows[::2], rows[1::2], strict=True):
        assert chosen["prompt"] == rejected["prompt"]
        assert [turn["role"] for turn in chosen["completion"] + rejected["completion"]] == ["assistant"] * 2


def test_distilabel_rows_are_what_its_formatter_would_make_of_their_inputs(export, datasets, tmp_path):
    rows = datasets.load_dataset(str(export("distilabel")), split="train", cache_dir=str(tmp_path / "cache"))

    for row in rows:
        for place, side in enumerate(("chosen", "rejected")):
            answer = {"role": "assistant", "content": row["generations"][place]}
            assert row[side] == [*row["messages"], answer]
            assert row[f"{side}_model"] == row["generation_models"][place]
            assert row[f"{side}_rating"] == row["ratings"][place]
        assert row["prompt"] == next(turn["content"] for turn in row["messages"] if turn["role"] == "user")
