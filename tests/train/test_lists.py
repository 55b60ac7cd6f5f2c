"""Ranked lists of unequal lengths go through the same packing and loop as pairs do."""

import pytest
import torch

from tsotrain import losses
from tsotrain.batching import Example, by_example, response_lengths
from tsotrain.config import LossConfig, OptimizerConfig, StageConfig
from tsotrain.errors import TrainError
from tsotrain.learning import train_stage
from tsotrain.lists import ListObjective
from tsotrain.metrics import read_log
from tsotrain.parallel import processes
from tsotrain.policy import load_policy, load_tokenizer
from tsotrain.references import score_references
from tsotrain.tokens import tokenize_lists

CONFIG = StageConfig(
    optimizer=OptimizerConfig(learning_rate=1e-3), batch_pairs=3, precision="fp32", loss=LossConfig("pro")
)
ROWS = [
    {
        "prompt_id": f"p1-{i}",
        "prompt": [{"role": "user", "content": f"count to {i}"}],
        "responses": [f"{'yes ' * n}{i}" for n in range(1, 2 + i % 3 + 1)],
    }
    for i in range(5)
]


def test_values_lie_in_rows_of_the_longest_list():
    examples = [Example("a", (1,), ((1, 2), (3,))), Example("b", (1,), ((1,), (2, 2), (3, 3, 3)))]

    assert by_example(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), examples).tolist() == [[1, 2, 0], [3, 4, 5]]
    assert response_lengths(examples).tolist() == [[2, 1, 0], [1, 2, 3]]


@pytest.mark.parametrize("micro_tokens", [1, 100_000])
@pytest.mark.parametrize("name", ["rrhf", "pro"])
def test_a_step_on_lists_has_the_loss_of_each_list_scored_by_itself(base, tmp_path, name, micro_tokens):
    config = StageConfig(batch_pairs=5, epochs=1, precision="fp32", micro_tokens=micro_tokens, loss=LossConfig(name))
    examples = tokenize_lists(ROWS, load_tokenizer(base), config).examples
    policy = load_policy(base)
    with processes() as ours:
        train_stage(base, examples, tmp_path / "s", config=config, ours=ours, say=lambda _: None)
        alone = [
            score_references(policy, [example], ours, max_tokens=1, precision=torch.float32) for example in examples
        ]

    of_loss = {"rrhf": losses.rrhf, "pro": lambda *args: losses.pro(*args, sft_weight=0.05)}[name]
    expected = {
        example.example_id: of_loss(logps, response_lengths([example])).item()
        for example, logps in zip(examples, alone, strict=True)
    }
    found = {line["prompt_id"]: line["loss"] for line in read_log(tmp_path / "s" / "feedback.jsonl")}

    assert {len(e.responses) for e in examples} == {2, 3, 4}
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_figures_count_neighbours_in_order():
    examples = [Example("a", (1,), ((1,), (2,), (3,))), Example("b", (1,), ((1,), (2, 2)))]
    objective = ListObjective(examples, LossConfig("rrhf"))
    logps = torch.tensor([[-1.0, -2.0, -1.5], [-1.0, -1.0, 0.0]])

    figures = objective.figures(logps, torch.tensor([1.0, 2.0]), range(2))
    assert figures == {"n_lists": 2, "loss": 1.5, "accuracy": pytest.approx(1 / 3)}
    assert objective.line(figures) == "loss 1.5000  in order 33%"


def test_a_list_with_equal_answers_is_refused(base):
    with pytest.raises(TrainError, match=r"1 refused \(two answers are equal, in tokens and once cut; first p1-0"):
        tokenize_lists([{**ROWS[0], "responses": ["a", "b", "a"]}], load_tokenizer(base), CONFIG)
