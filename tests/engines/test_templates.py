"""What a model reads of messages, and which files it came from."""

import hashlib
import os
import shutil

import pytest
from tiny import TEMPLATE, make_model, make_tokenizer

from tsodata.engines.templates import (
    ChatTemplate,
    PromptRefusedError,
    find_model,
    identify,
    load_tokenizer,
    tokenizer_sha256,
)
from tsodata.errors import UsageError
from tsotrain.policy import policy_sha256

DIALOGUE = (
    {"role": "system", "content": "be short"},
    {"role": "user", "content": "1 + 1"},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "so?"},
)


@pytest.fixture
def folder(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / "copy")


@pytest.fixture
def without_weights(tmp_path):
    def make(template=TEMPLATE):
        make_tokenizer(template).save_pretrained(tmp_path / "bare")
        (tmp_path / "bare" / "config.json").write_text("{}")
        return tmp_path / "bare"

    return make


def test_system_and_earlier_turns_are_rendered_by_the_template_of_the_folder(model_folder):
    rendered = ChatTemplate.load(find_model(str(model_folder))).render(DIALOGUE)

    assert rendered.text == "<s>[system]be short[user]1 + 1[assistant]2</s>[user]so?[assistant]"
    assert rendered.sha256 == hashlib.sha256(rendered.text.encode()).hexdigest()


def test_special_tokens_of_the_template_are_not_added_again(model_folder):
    ids = ChatTemplate.load(find_model(str(model_folder))).render(DIALOGUE).ids

    assert (ids[0], ids.count(1), ids.count(2)) == (1, 1, 1)
    assert len(ids) == 3 + len("[system]be short[user]1 + 1[assistant]2[user]so?[assistant]") - 1


def test_the_identity_holds_hashes_of_template_tokenizer_and_weights(model_folder):
    files = find_model(str(model_folder))
    identity = identify(files, ChatTemplate.load(files))

    assert identity.name == "tiny"
    assert identity.template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    assert identity.tokenizer_sha256 == tokenizer_sha256(model_folder)
    assert identity.revision == policy_sha256(model_folder)  # so that a trained policy is found by its answers


def test_a_changed_byte_of_the_weights_is_another_revision(folder):
    before = find_model(str(folder)).revision
    weights = folder / "model.safetensors"
    stat = weights.stat()
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))

    assert find_model(str(folder)).revision != before


def test_a_changed_template_changes_neither_tokenizer_nor_weights(folder):
    before = identify(files := find_model(str(folder)), ChatTemplate.load(files))
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    after = identify(files, ChatTemplate.load(files))

    assert after.template_sha256 != before.template_sha256
    assert (after.tokenizer_sha256, after.revision) == (before.tokenizer_sha256, before.revision)


def test_a_tokenizer_without_template_is_one_line_with_the_way_out(without_weights):
    with pytest.raises(UsageError, match=r"^bare: the tokenizer has no chat template; add chat_template.jinja"):
        ChatTemplate.load(find_model(str(without_weights(template=None))))


def test_a_conversation_that_the_template_refuses_is_told_so(without_weights):
    template = ChatTemplate.load(find_model(str(without_weights("{{ raise_exception('no system role') }}"))))

    with pytest.raises(PromptRefusedError, match=r"^the chat template refuses the conversation: no system role$"):
        template.render(DIALOGUE)


def test_weights_in_another_format_than_safetensors_are_refused(without_weights):
    folder = without_weights()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")

    with pytest.raises(UsageError, match="no weights in safetensors there"):
        _ = find_model(str(folder)).revision


def test_a_name_that_is_neither_folder_nor_cached_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(UsageError, match=r"^owl/none: no such folder, and not in the local cache at main; fetch it"):
        find_model("owl/none", revision="main")


def test_a_name_in_the_local_cache_is_found_at_its_revision(monkeypatch, tmp_path, model_folder):
    commit = "0123456789" * 4
    snapshot = tmp_path / "models--owl--tiny" / "snapshots" / commit
    shutil.copytree(model_folder, snapshot)
    (tmp_path / "models--owl--tiny" / "refs").mkdir()
    (tmp_path / "models--owl--tiny" / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    files = find_model("owl/tiny")

    assert (files.name, files.folder) == ("owl/tiny", snapshot)
    assert find_model("owl/tiny", revision=commit, trust_remote_code=True).folder == snapshot


def test_a_folder_of_another_revision_than_asked_for_is_refused(model_folder):
    revision = find_model(str(model_folder)).revision

    assert find_model(str(model_folder), revision=revision).revision == revision
    with pytest.raises(UsageError, match=f"its revision is {revision}, not 00"):
        find_model(str(model_folder), revision="00")


def test_code_of_a_model_runs_only_at_a_pinned_revision(folder):
    (folder / "modeling_own.py").write_text("print('here')")

    with pytest.raises(UsageError, match="its code runs only at a pinned revision"):
        find_model(str(folder), trust_remote_code=True)
    with pytest.raises(UsageError, match="its code runs only at a commit of 40 hex digits, not at 'main'"):
        find_model("owl/none", revision="main", trust_remote_code=True)


def test_code_that_may_run_is_part_of_the_revision_and_told_in_it(folder):
    plain = find_model(str(folder)).revision
    (folder / "modeling_own.py").write_text("1")
    with pytest.raises(UsageError, match="its revision is") as refused:
        find_model(str(folder), revision=plain, trust_remote_code=True)
    trusted = str(refused.value).split("revision is ")[1].split(",")[0]

    assert trusted.endswith("+remote-code")
    assert find_model(str(folder), revision=trusted, trust_remote_code=True).revision == trusted
    (folder / "modeling_own.py").write_text("22")
    with pytest.raises(UsageError, match="its revision is"):
        find_model(str(folder), revision=trusted, trust_remote_code=True)


def test_a_folder_without_tokenizer_is_one_line(tmp_path):
    make_model().save_pretrained(tmp_path)

    with pytest.raises(UsageError, match="no tokenizer at") as refused:
        load_tokenizer(tmp_path)
    assert "\n" not in str(refused.value)
