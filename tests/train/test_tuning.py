"""Supervised tuning: the loss is that of the model itself, on the answer's tokens alone, however it is cut up."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModelForCausalLM

from tsotrain.batching import pack
from tsotrain.config import OptimizerConfig, TuneConfig
from tsotrain.errors import TrainError
from tsotrain.metrics import read_log
from tsotrain.parallel import processes
from tsotrain.policy import load_policy, load_tokenizer
from tsotrain.records import ChatRecord, Refusal
from tsotrain.tokens import tokenize_records
from tsotrain.training import Session
from tsotrain.tuning import TuningObjective, tune

CONFIG = TuneConfig(
    optimizer=OptimizerConfig(learning_rate=3e-3), batch_records=4, precision="fp32", checkpoint_steps=2
)


def record(number, answer, *, is_held_out=False, prompt="how good is it?"):
    turns = ({"role": "system", "content": "judge"}, {"role": "user", "content": prompt})
    return ChatRecord(f"r{number}", (*turns, {"role": "assistant", "content": answer}), is_held_out)


RECORDS = [record(i, f"it is {'very ' * (i % 3)}good. Score: {i}.0") for i in range(10)]
HELD_OUT = [record(i, f"it is good. Score: {i}.5", is_held_out=True) for i in range(20, 23)]


@pytest.fixture
def tokenizer(base):
    return load_tokenizer(base)


@pytest.fixture
def train(base, tokenizer, tmp_path):
    def run(name, config=CONFIG, *, records=RECORDS, say=lambda _: None):
        found = tokenize_records(records, tokenizer, config)
        with processes() as ours:
            return tune(Session(base, tmp_path / name, config, ours, say), found)

    return run


def plain_loss(model, examples):
    """Return the mean of the cross entropy over all answers' tokens, with the model's own forward pass."""
    losses = []
    for example in examples:
        ids = torch.tensor([example.prompt + example.responses[0]])
        logits = model(ids).logits[0, len(example.prompt) - 1 : -1]
        losses.append(functional.cross_entropy(logits, ids[0, len(example.prompt) :], reduction="none"))
    return torch.cat(losses).mean()


def weights(outcome):
    return load_file(outcome.policy / "model.safetensors")


def furthest(ours, theirs):
    return max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)


def test_only_the_answer_is_learnt_up_to_its_end(tokenizer):
    (example,) = tokenize_records(RECORDS[:1], tokenizer, CONFIG).examples

    assert tokenizer.decode(example.prompt) == "<s>[system]judge[user]how good is it?[assistant]"
    assert [tokenizer.decode(response) for response in example.responses] == ["it is good. Score: 0.0</s>"]


def test_loss_and_gradient_are_those_of_the_models_own_cross_entropy(base, tokenizer):
    examples = tokenize_records(RECORDS, tokenizer, CONFIG).examples
    policy, model = load_policy(base), AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    objective, places = TuningObjective(examples), range(len(examples))

    def mean_loss(logps, responses):
        return objective.losses(logps.view(-1, 1), places[responses]).sum() / objective.size(places)

    ours, theirs = policy(pack(examples), mean_loss)[0], plain_loss(model, examples)
    ours.backward()
    theirs.backward()

    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    for name, weight in model.named_parameters():
        assert torch.allclose(policy.model.get_parameter(name).grad, weight.grad, atol=1e-6)


def test_accumulated_batches_have_the_gradient_of_whole_ones(train):
    whole = weights(train("whole", replace(CONFIG, micro_tokens=100_000)))

    assert furthest(weights(train("cut", replace(CONFIG, micro_tokens=1))), whole) < 2e-5


def test_tuning_tells_its_loss_per_step_and_per_record(train, tmp_path):
    outcome = train("a", replace(CONFIG, epochs=3))
    steps, records = (read_log(tmp_path / "a" / name) for name in ("metrics.jsonl", "feedback.jsonl"))

    assert [step["n_records"] for step in steps] == [4, 4, 2] * 3
    assert steps[-1]["loss"] < steps[0]["loss"] - 0.2
    assert outcome.last == steps[-1]
    assert sorted((row["epoch"], row["record_id"]) for row in records) == sorted(
        (epoch, record.record_id) for epoch in (1, 2, 3) for record in RECORDS
    )


def test_held_out_records_are_scored_before_and_after_each_epoch_and_never_learnt(train, base, tokenizer, tmp_path):
    without = train("without")
    outcome = train("with", records=[*HELD_OUT, *RECORDS])
    told = {
        step["step"]: step["held_out_loss"]
        for step in read_log(tmp_path / "with" / "metrics.jsonl")
        if "held_out_loss" in step
    }
    held_out = tokenize_records([*RECORDS, *HELD_OUT], tokenizer, CONFIG).held_out

    assert outcome.policy_sha256 == without.policy_sha256
    assert list(told) == [0, 3, 6]
    for step, folder in ((0, base), (6, outcome.policy)):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        assert told[step] == pytest.approx(plain_loss(model, held_out).item(), rel=1e-5)


@pytest.mark.parametrize("last_step", [1, 3])
def test_a_killed_tuning_goes_on_to_the_same_bytes(train, tmp_path, last_step):
    records = [*HELD_OUT, *RECORDS]
    undisturbed = train("a", records=records)

    def stop(line):
        if line.startswith(f"step {last_step}/"):
            raise SystemExit  # no handler runs, as with SIGKILL: the newest checkpoint is that of step 2, or none

    with pytest.raises(SystemExit):
        train("b", records=records, say=stop)

    assert train("b", records=records).policy_sha256 == undisturbed.policy_sha256
    assert [line["step"] for line in read_log(tmp_path / "b" / "metrics.jsonl")] == [0, 1, 2, 3, 4, 5, 6]


def test_a_folder_belongs_to_its_records(train):
    train("a")

    with pytest.raises(TrainError, match="was begun with another records; pass another --out"):
        train("a", records=RECORDS[1:])
    with pytest.raises(TrainError, match="was begun with another held_out"):
        train("a", records=[*RECORDS, *HELD_OUT])


def test_a_score_is_never_cut_off(tokenizer):
    config = replace(CONFIG, max_prompt_tokens=11, max_response_tokens=20)
    found = tokenize_records([record(1, "Score: 8.0"), record(2, "a long reason. Score: 8.0")], tokenizer, config)
    (example,) = found.examples

    assert tokenizer.decode(example.prompt) == "[assistant]"
    assert tokenizer.decode(example.responses[0]) == "Score: 8.0</s>"
    assert found.describe() == (
        "2 records = 1 to train on, 1 refused (an answer of more than 20 tokens; first r2), 1 prompt cut"
    )


def test_every_row_is_accounted_for(tokenizer):
    rows = [
        *RECORDS,
        *HELD_OUT,
        Refusal("a.jsonl:3", "no list of messages"),
        Refusal("a.jsonl:9", "no list of messages"),
    ]

    assert tokenize_records(rows, tokenizer, CONFIG).describe() == (
        "15 records = 10 to train on, 3 held out, 2 refused (no list of messages; first a.jsonl:3)"
    )


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ messages | length }}{{ messages[-1]['content'] }}", "the prompt's tokens do not begin those"),
        (
            "{% for m in messages %}{{ m['content'] if m['role'] == 'system' }}{% endfor %}",
            "a response without a token",
        ),
        (
            "{% for m in messages if m['role'] == 'assistant' %}{{ m['content'] }}{% endfor %}",
            "a prompt without a token",
        ),
        ("{{ raise_exception('no system role') }}", "the chat template refuses a conversation: no system role"),
    ],
)
def test_a_template_that_does_not_fit_refuses_record_by_record(tokenizer_with, template, reason):
    with pytest.raises(TrainError, match=f"no record to train on: 1 records = 0 to train on, 1 refused .{reason}"):
        tokenize_records(RECORDS[:1], tokenizer_with(template), CONFIG)
