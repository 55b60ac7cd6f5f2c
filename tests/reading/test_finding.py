import json

import datasets
import pytest

from tsodata.errors import ImportRefusedError
from tsodata.reading import find_files, iter_rows


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder with files of known kinds, others, hidden ones, and links."""
    for name in (
        "b.jsonl",
        "a.csv",
        "sub/c.json.gz",
        "sub/deep/d.parquet",
        "README.md",
        ".hidden.jsonl",
        ".git/e.jsonl",
    ):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def found(*paths):
    return find_files(paths)


def names(files):
    return [path.as_posix().rpartition("data/")[2] for path in files]


def refusal(path):
    with pytest.raises(ImportRefusedError) as refused:
        find_files([path])
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_folder_stands_for_every_file_of_a_known_kind_beneath_sorted_by_path(tree):
    assert names(found(tree).files) == ["a.csv", "b.jsonl", "sub/c.json.gz", "sub/deep/d.parquet"]


def test_what_is_passed_over_is_told_with_its_reason(tree):
    assert [(names([path]), reason) for path, reason in found(tree).passed_over] == [
        ([".git"], "hidden"),
        ([".hidden.jsonl"], "hidden"),
        (["README.md"], "unknown kind '.md'"),
    ]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.jsonl", ["b.jsonl"]),
        ("**/*.json*", ["b.jsonl", "sub/c.json.gz"]),
        ("[ab].*", ["a.csv", "b.jsonl"]),
        ("s?b", ["sub/c.json.gz", "sub/deep/d.parquet"]),
        ("**", ["a.csv", "b.jsonl", "sub/c.json.gz", "sub/deep/d.parquet"]),
    ],
)
def test_a_pattern_stands_for_what_it_matches(tree, pattern, matched):
    assert sorted(names(found(tree / pattern).files)) == matched
    assert sorted(names(found((tree / pattern).relative_to(tree.parent)).files)) == matched


def test_files_come_in_the_order_in_which_they_are_named_and_each_once(tree):
    sums = found(tree / "b.jsonl", tree, tree / "sub" / ".." / "b.jsonl")

    assert names(sums.files) == ["b.jsonl", "a.csv", "sub/c.json.gz", "sub/deep/d.parquet"]
    assert [reason for _, reason in sums.passed_over].count("named before") == 2


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    (tree / "[ab].csv").touch()

    assert names(found(tree / "[ab].csv").files) == ["[ab].csv"]


def test_links_to_files_are_followed_and_links_to_folders_are_not(tree):
    (tree / "sub" / "back").symlink_to(tree)
    (tree / "sub" / "linked.csv").symlink_to(tree / "README.md")
    (tree / "sub" / "broken.csv").symlink_to(tree / "gone")

    sums = found(tree / "sub")

    assert names(sums.files) == ["sub/c.json.gz", "sub/deep/d.parquet", "sub/linked.csv"]
    assert {path.name: reason for path, reason in sums.passed_over} == {
        "back": "a link to a folder",
        "broken.csv": "not a file",
    }


def test_a_path_that_stands_for_no_file_is_one_clear_error(tree):
    (tree / "empty").mkdir()

    assert refusal(tree / "gone.jsonl").endswith("gone.jsonl: no such file or folder")
    assert refusal(tree / "*.tsv").endswith("*.tsv: no file matches")
    assert "holds no file of a known kind (.json, " in refusal(tree / "empty")
    assert "holds no file of a known kind" in refusal(tree / "*.md")


ROWS = [{"prompt": f"q{number}", "m": [{"role": "user"}]} for number in range(2_500)]


def test_a_folder_of_datasets_gives_its_shards_in_their_order(tmp_path):
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "d"), num_shards=3)

    sums = found(tmp_path / "d")

    assert [path.name for path in sums.files] == [f"data-0000{n}-of-00003.arrow" for n in range(3)]
    assert [row.value for path in sums.files for row in iter_rows(path)] == ROWS


def test_a_folder_of_splits_gives_each_in_the_order_that_it_states(tmp_path):
    parts = {name: datasets.Dataset.from_list(ROWS[:n]) for name, n in (("train", 3), ("test", 2))}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "d"))

    for folder in (tmp_path / "d", tmp_path):  # also beneath another folder
        assert [path.parent.name for path in found(folder).files] == ["train", "test"]


@pytest.mark.parametrize("name", ["../out.arrow", "/etc/passwd", "sub/x.arrow", "..", "", 7, "a\0b", "out.arrow"])
def test_nothing_in_a_file_leads_out_of_its_folder(tmp_path, name):
    folder = tmp_path / "d"
    folder.mkdir()
    (tmp_path / "out.arrow").touch()
    (folder / "out.arrow").symlink_to(tmp_path / "out.arrow")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    assert "state.json: " in refusal(folder)

    (folder / "state.json").unlink()
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": [name]}))
    assert "dataset_dict.json: " in refusal(folder)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("{", "not readable as JSON"),
        ("[]", "not a JSON object"),
        ("{}", "does not list its files"),
        ('{"_data_files": [{"filename": "a.arrow"}]}', "there is no such file"),
        ('{"_data_files": [], "_indices_data_files": [1]}', "selects rows by an index"),
    ],
)
def test_a_broken_folder_of_datasets_is_one_clear_error(tmp_path, state, words):
    (tmp_path / "state.json").write_text(state)

    assert words in refusal(tmp_path)
