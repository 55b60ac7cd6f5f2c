"""What cannot be trained on is told in one line with an exit code, and leaves nothing half-written."""

import json
import resource
from contextlib import contextmanager

import pyarrow as pa
import pytest
from pyarrow import parquet

from tsotrain.__main__ import main

SETTINGS = ("batch_pairs=4", "epochs=1", "precision=fp32", "optimizer.learning_rate=1e-3")
NO_END = (
    "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}{{ '[assistant]' if add_generation_prompt }}"
)
FITS = 60_000  # bytes: a line of metrics, but neither a checkpoint nor the 130 kB of the policy


@pytest.fixture
def train(base, rows, tmp_path, capsys):
    """Run the trainer on pairs as a command, and return its exit code and the lines that it said."""

    def run(*settings, pairs=rows, policy=base, largest_file=None):
        columns = ("pair_id", "prompt", "chosen", "rejected")
        table = pa.table({name: pa.array([row[name] for row in pairs], kind(name)) for name in columns})
        parquet.write_table(table, tmp_path / "pairs.parquet")
        words = [word for setting in (*SETTINGS, *settings) for word in ("-s", setting)]
        with files_up_to(largest_file):
            code = main(
                [str(tmp_path / "pairs.parquet"), "--policy", str(policy), "--out", str(tmp_path / "out"), *words]
            )
        return code, capsys.readouterr().err.splitlines()

    return run


def kind(name):
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    return pa.list_(turn) if name == "prompt" else pa.string()


@contextmanager
def files_up_to(n_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, before if n_bytes is None else (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def policy_with(tokenizer_with, tiny_model, tmp_path):
    """Make a policy whose model or chat template does not suit."""

    def make(*, template=None, **shape):
        folder = tmp_path / "policy"
        tiny_model(**shape).save_pretrained(folder)
        tokenizer_with(template).save_pretrained(folder)
        return folder

    return make


def assert_refused(told, message, *, out, code=1):
    assert told[0] == code
    assert told[1][-1].startswith("tsotrain: error: ")
    assert message in told[1][-1]
    assert sum("error:" in line for line in told[1]) == 1
    assert not out.exists()


def test_an_empty_minibatch(train, tmp_path):
    assert_refused(train(pairs=[]), "no pair to train on: 0 pairs = 0 to train on, 0 refused", out=tmp_path / "out")


def test_a_policy_that_is_not_there(train, tmp_path):
    assert_refused(train(policy=tmp_path / "none"), "none: no policy there (no such folder)", out=tmp_path / "out")


def test_a_folder_with_a_tokenizer_and_no_policy(train, tokenizer_with, tmp_path):
    tokenizer_with(NO_END).save_pretrained(tmp_path / "policy")

    assert_refused(train(policy=tmp_path / "policy"), "no policy there (no config.json)", out=tmp_path / "out")


def test_a_tokenizer_without_a_chat_template(train, policy_with, tmp_path):
    assert_refused(train(policy=policy_with()), "has no chat template; add chat_template.jinja", out=tmp_path / "out")


def test_a_vocabulary_that_does_not_fit_the_tokenizer(train, policy_with, tmp_path):
    policy = policy_with(template=NO_END, vocab_size=50)

    assert_refused(train(policy=policy), "is outside the policy's vocabulary of 50", out=tmp_path / "out")


def test_pairs_with_a_side_of_no_token(train, policy_with, rows, tmp_path):
    told = train(policy=policy_with(template=NO_END), pairs=[{**row, "rejected": ""} for row in rows])

    assert_refused(told, "10 refused (a response without a token; first pair1-0000000000000000)", out=tmp_path / "out")


def test_pairs_that_become_identical_when_cut(train, rows, tmp_path):
    pairs = [{**row, "chosen": "good, yes", "rejected": "good, no"} for row in rows]
    told = train("max_response_tokens=4", pairs=pairs)

    assert_refused(told, "10 refused (both sides are equal, in tokens and once cut", out=tmp_path / "out")


def test_pairs_that_share_an_id(train, rows):
    code, said = train(pairs=[*rows, rows[0]])

    assert code == 0
    assert said[0].startswith("11 pairs = 10 to train on, 1 refused (an earlier pair has its id; first pair1-0")


@pytest.mark.parametrize(
    ("checkpoint_steps", "message"),
    [
        (50, "out/policy: the policy cannot be written ("),
        (1, "step-00000001: the checkpoint cannot be written (File too large); "),
    ],
)
def test_a_disk_that_is_full_is_told_and_a_rerun_completes(train, tmp_path, checkpoint_steps, message):
    code, said = train(f"checkpoint_steps={checkpoint_steps}", largest_file=FITS)
    left = sorted(path.name for path in (tmp_path / "out").rglob("*") if "partial" in path.name or "step-" in path.name)

    assert code == 1
    assert message in said[-1]
    assert said[-1].endswith("make room and run it again")
    assert left == []
    assert not (tmp_path / "out" / "policy").exists()
    assert train(f"checkpoint_steps={checkpoint_steps}")[0] == 0
    assert (tmp_path / "out" / "policy" / "model.safetensors").exists()


def test_a_full_disk_before_the_first_step(train, tmp_path):
    code, said = train(largest_file=10)

    assert code == 1
    assert "out: cannot be written (" in said[-1]
    assert not (tmp_path / "out" / "stage.json").exists()


def test_a_loss_that_is_no_number_stops_with_its_own_code_and_names_the_last_checkpoint(train, tmp_path):
    code, said = train("optimizer.learning_rate=1e30", "optimizer.warmup=0", "checkpoint_steps=1")
    step = len((tmp_path / "out" / "metrics.jsonl").read_text().splitlines())
    saved = tmp_path / "out" / "checkpoints" / f"step-{step:08d}"

    assert code == 4
    assert f"training has diverged; the last good checkpoint is {saved}. Try a smaller learning rate" in said[-1]
    assert saved.is_dir()
    assert not (tmp_path / "out" / "policy").exists()


def test_settings_that_are_none(train, tmp_path):
    assert_refused(train("loss.name=dpo", "loss.name.kind=a"), "no setting 'loss.name.kind'", out=tmp_path / "out")
    assert_refused(train("epochs"), "'epochs' is not -s NAME=VALUE", out=tmp_path / "out")


def test_records_that_are_none(base, tmp_path, capsys):
    (tmp_path / "r.jsonl").write_text(json.dumps({"text": "hi"}) + "\n")
    code = main(
        ["judge", "--records", str(tmp_path / "r.jsonl"), "--policy", str(base), "--out", str(tmp_path / "out")]
    )
    (said,) = capsys.readouterr().err.splitlines()

    assert code == 1
    assert said.startswith("tsotrain: error: no record to train on: 1 records = 0 to train on, 1 refused (no list of")
    assert not (tmp_path / "out").exists()
