"""The template gate, with a tokenizer of one token per character and chat templates made here."""

import hashlib
import json
import sys
from collections import Counter
from dataclasses import replace

import pytest

from tsodata.errors import ExportRefusedError, UsageError
from tsodata.exporters import FORMATS, export_build
from tsodata.exporters.template import TemplateGate
from tsodata.provenance import Run

tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed (pip install tso[template])")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install tso[template])")

# a user's turn is <x>, an assistant's is [y], and the prompt for an answer ends with [
PLAIN = (
    "{% for m in messages %}{% if m.role == 'assistant' %}[{{ m.content }}]{% else %}<{{ m.content }}>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}[{% endif %}"
)
# as some models of 2025 do: only a prompt for an answer opens a thought
THINKING = PLAIN.replace("%}[{% endif %}", "%}[#{% endif %}")
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + PLAIN


@pytest.fixture
def tokenizer_folder(tmp_path):
    def make(template, *, lower=False):
        characters = [chr(code) for code in range(32, 127)]
        vocabulary = {character: place for place, character in enumerate(characters)}
        tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="?"))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
        if lower:
            tokenizer.normalizer = tokenizers.normalizers.Lowercase()
        wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?")
        if template:
            wrapped.chat_template = template
        folder = tmp_path / f"tokenizer-{len(list(tmp_path.iterdir()))}"
        wrapped.save_pretrained(folder)
        return str(folder)

    return make


@pytest.fixture
def held_out_with_system(make_store, pairs):
    return make_store(pairs["single"], replace(pairs["with_system"], minibatch=None))


@pytest.fixture
def gate(tokenizer_folder):
    def load(template=PLAIN, *, lower=False, **options):
        return TemplateGate.load(tokenizer_folder(template, lower=lower), **options)

    return load


def faults(gate, *answers, prompt="ab"):
    (found,) = gate.faults([[{"role": "user", "content": prompt}]], [answers])
    return found


def test_a_token_is_a_character_so_that_the_numbers_below_can_be_counted(gate):
    assert len(gate().tokenizer("<ab>[", add_special_tokens=False)["input_ids"]) == 5


def test_a_template_that_adds_nothing_else_to_a_prompt_for_an_answer_passes(gate):
    assert faults(gate(), "yes", "no") == [None, None]


def test_a_prompt_that_ends_otherwise_with_an_answer_behind_it_is_no_prefix(gate):
    assert faults(gate(THINKING), "yes", "no") == ["prompt_is_no_prefix"] * 2


def test_a_template_that_refuses_the_system_message_refuses_the_row(gate):
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]

    assert gate(NO_SYSTEM).faults([turns, turns[1:]], [["a", "b"]] * 2) == [["template_refuses"] * 2, [None, None]]


def test_a_row_is_cut_when_it_has_more_tokens_than_the_limit_and_not_when_as_many(gate):
    # <ab>[yes] has 9 tokens, <ab>[no] has 8
    assert faults(gate(max_length=9), "yes", "no") == [None, None]
    assert faults(gate(max_length=8), "yes", "no") == ["cut_by_length", None]


def test_sides_that_differ_behind_the_limit_only_become_identical(gate):
    # <ab>[yes has 8 tokens, and the sides differ in the ninth
    assert faults(gate(max_length=8), "yes", "yes!") == ["cut_by_length", "identical_when_cut"]


def test_sides_that_the_tokenizer_does_not_tell_apart_are_identical_without_a_cut(gate):
    assert faults(gate(lower=True), "Yes", "yes") == [None, "identical_as_tokens"]


def test_a_pair_has_one_reason_the_first_of_its_sides(make_store, tmp_path, pairs, gate):
    store = make_store(pairs["single"], replace(pairs["multi_turn"], chosen="Pear.", rejected="Pear, red."))
    # <How high is Mont Blanc?>[4,806 metres.] has 40 tokens; <Name a fruit.>[Apple.]<Another one.>[Pear has 42
    report = export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=gate(max_length=42))

    assert report.written == {"train": 1}
    assert report.refused == Counter(identical_when_cut=1)


@pytest.mark.parametrize("to", FORMATS)
def test_what_the_gate_refuses_is_counted_and_not_written_in_every_format(store_for, tmp_path, gate, to):
    report = export_build(store_for(to), "first", to=to, out=tmp_path / "out", run=Run("test"), gate=gate(NO_SYSTEM))

    counts = json.loads((tmp_path / "out/manifest.json").read_bytes())["counts"]
    assert counts["in"] == sum(counts["written"].values()) + sum(counts["refused"].values())
    n_refused = 2 if to == "ranked" else 1
    assert report.refused == Counter(template_refuses=n_refused)
    assert counts["in"] == (6 if to == "ranked" else 4)


def test_the_manifest_holds_the_hashes_the_limit_and_no_path(store, tmp_path, gate):
    loaded = gate(max_length=100)
    export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=loaded)

    manifest = (tmp_path / "out/manifest.json").read_text()
    assert json.loads(manifest)["template_gate"] == {
        "tokenizer_sha256": loaded.tokenizer_sha256,
        "template_sha256": hashlib.sha256(PLAIN.encode()).hexdigest(),
        "max_length": 100,
        "refuses": True,
    }
    assert str(tmp_path) not in manifest
    assert loaded.tokenizer_sha256[:16] in (tmp_path / "out/README.md").read_text()


def test_another_tokenizer_or_limit_makes_another_export(store, tmp_path, gate):
    export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=gate(max_length=100))

    again = export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=gate(max_length=100))
    assert again.already_there
    for other in (None, gate(max_length=99), gate(max_length=100, lower=True), gate(NO_SYSTEM, max_length=100)):
        with pytest.raises(ExportRefusedError, match="another or a changed export"):
            export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=other)


def test_counting_only_writes_every_row_and_tells_what_it_found(store, tmp_path, gate):
    counting = gate(NO_SYSTEM, refuses=False)
    report = export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=counting)

    assert report.written == {"train": 3, "test": 1}
    assert (report.refused, report.marked) == (Counter(), Counter(template_refuses=1))
    assert "| template_refuses | 1 |" in (tmp_path / "out/README.md").read_text()


@pytest.mark.parametrize("to", [name for name in FORMATS if name != "ranked"])
def test_a_split_that_is_refused_whole_is_not_there_and_the_rest_loads(held_out_with_system, gate, datasets, to):
    out = held_out_with_system.path.with_name("out")

    report = export_build(held_out_with_system, "first", to=to, out=out, run=Run("test"), gate=gate(NO_SYSTEM))

    assert (report.written, report.refused) == ({FORMATS[to].train: 1}, Counter(template_refuses=1))
    loaded = datasets.load_dataset(str(out), cache_dir=str(out.with_name("cache")))
    assert list(loaded) == [FORMATS[to].train]


def test_an_export_whose_training_rows_are_all_refused_is_refused_and_leaves_nothing(store, tmp_path, gate):
    with pytest.raises(ExportRefusedError) as caught:
        export_build(store, "first", to="trl", out=tmp_path / "out", run=Run("test"), gate=gate(max_length=5))

    assert "no training pair that can be written (identical_when_cut 4)" in str(caught.value)
    assert list(tmp_path.glob("*out*")) == []


def test_ranked_lists_lose_the_answers_that_are_cut_and_then_the_one_left_alone(answers_store, tmp_path, gate):
    # <How high is Mont Blanc?>[High.] has 32 tokens, with 4,806 metres. in it 40; <You are terse.><Say hello.>[Hello.]
    # has 36, with Hi there, dear friend. in it 52; <What is 2 + 2?>[4] has 19
    report = export_build(
        answers_store, "first", to="ranked", out=tmp_path / "out", run=Run("test"), gate=gate(max_length=40)
    )

    assert report.written == {"train": 2, "test": 2}
    assert report.rows == {"train": 1, "test": 1}
    assert report.refused == Counter(cut_by_length=1, alone_on_its_prompt=1)


def test_a_tokenizer_without_a_chat_template_is_one_clear_line(tokenizer_folder):
    folder = tokenizer_folder(None)

    with pytest.raises(UsageError) as caught:
        TemplateGate.load(folder)

    assert str(caught.value) == f"the tokenizer {folder!r} has no chat template; name one of a chat model"


def test_a_folder_without_a_tokenizer_is_one_clear_line(tmp_path):
    with pytest.raises(UsageError) as caught:
        TemplateGate.load(str(tmp_path))

    assert str(caught.value).startswith(f"no tokenizer at {str(tmp_path)!r} (")
    assert "\n" not in str(caught.value)


def test_without_transformers_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(UsageError, match=r"--tokenizer needs transformers; install tso\[template\]"):
        TemplateGate.load("anything")
