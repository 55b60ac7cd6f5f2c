"""Loss and gradient against TRL's DPOTrainer: the same model, reference and pairs, through its own tokens and padding.

TRL 1.16 has no loss that it calls cDPO: `sigmoid` passes label smoothing over, and `robust` is another loss, divided by
1 - 2 epsilon. With one pair a batch its `aot` is cDPO. Its `ipo` divides by lengths, and calls tau beta.
"""

import copy

import pytest
import torch

from tsotrain.batching import pack
from tsotrain.config import LossConfig, StageConfig
from tsotrain.policy import Policy, load_policy, load_tokenizer
from tsotrain.preferences import PairObjective
from tsotrain.tokens import tokenize_pairs

pytest.importorskip("trl", reason="TRL is not installed; pip install trl to compare with it")
SIDES = ("chosen", "rejected")
pytestmark = pytest.mark.filterwarnings("ignore")  # TRL's and accelerate's are theirs


@pytest.fixture
def pairs(rows):
    return rows[:3]


@pytest.fixture
def moved(base):
    """Return a policy some way from its reference, as in the middle of a stage."""
    policy = load_policy(base)
    torch.manual_seed(5)
    with torch.no_grad():
        for weight in policy.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.02)
    return policy


@pytest.fixture
def theirs(base, pairs, tmp_path):
    """Return TRL's loss and gradient of a policy, over batches of some size, weighed by their pairs."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import DPOConfig, DPOTrainer

    def run(policy: Policy, *, batch_size: int, **settings):
        model = copy.deepcopy(policy.model)
        model.set_attn_implementation("sdpa")
        for module in model.modules():
            vars(module).pop("forward", None)  # norms of its own, too
        asked = {"output_dir": str(tmp_path), "max_length": None, "gradient_checkpointing": False, "bf16": False}
        said = [{**row, **{side: [{"role": "assistant", "content": row[side]}] for side in SIDES}} for row in pairs]
        trainer = DPOTrainer(
            model=model,
            ref_model=AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
            args=DPOConfig(**asked, use_cpu=True, report_to="none", disable_tqdm=True, **settings),
            train_dataset=Dataset.from_list(said),
            processing_class=load_tokenizer(base),
        )
        tokens, total = list(trainer.train_dataset), 0.0
        for start in range(0, len(tokens), batch_size):
            batch = tokens[start : start + batch_size]
            loss = trainer.compute_loss(trainer.model, trainer.data_collator(batch)) * len(batch) / len(tokens)
            loss.backward()
            total += loss.item()
        return total, {name: weight.grad for name, weight in trainer.model.named_parameters()}, tokens

    return run


@pytest.fixture
def ours(base, pairs):
    """Return our loss and gradient of a policy, packed, against the reference's scores of the same pairs."""

    def run(policy: Policy, config: LossConfig):
        examples = tokenize_pairs(pairs, load_tokenizer(base), StageConfig()).examples
        with torch.no_grad():
            references = load_policy(base)(pack(examples))[1].view(-1, 2)
        objective, places = PairObjective(examples, references, config), range(len(examples))

        def mean_loss(logps, responses):
            of_group = places[responses.start // 2 : responses.stop // 2]
            return objective.losses(logps.view(-1, 2), of_group).sum() / objective.size(places)

        loss = policy(pack(examples), mean_loss)[0]
        loss.backward()
        return loss.item(), {name: weight.grad for name, weight in policy.model.named_parameters()}, examples

    return run


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (LossConfig("dpo", beta=0.5), {"batch_size": 3, "loss_type": ["sigmoid"], "beta": 0.5}),
        (LossConfig("ipo", tau=0.2, ipo_mean=True), {"batch_size": 3, "loss_type": ["ipo"], "beta": 0.2}),
        (
            LossConfig("cdpo", beta=0.5, epsilon=0.3),
            {"batch_size": 1, "loss_type": ["aot"], "beta": 0.5, "label_smoothing": 0.3},
        ),
    ],
    ids=["dpo", "ipo", "cdpo"],
)
def test_loss_and_gradient_are_those_of_trl(moved, ours, theirs, config, settings):
    their_loss, their_grads, their_tokens = theirs(moved, **settings)
    our_loss, our_grads, examples = ours(moved, config)
    largest = max(float(grad.abs().max()) for grad in their_grads.values())

    assert [(*row["prompt_ids"], *row["chosen_ids"]) for row in their_tokens] == [
        example.prompt + example.responses[0] for example in examples
    ]
    assert our_loss == pytest.approx(their_loss, rel=1e-5)
    assert largest > 1e-3
    for name, grad in their_grads.items():
        assert float((our_grads[name] - grad).abs().max()) < 1e-5 * largest, name


def test_a_summed_ipo_is_not_what_trl_computes(moved, ours, theirs):
    their_loss, *_ = theirs(moved, batch_size=3, loss_type=["ipo"], beta=0.2)

    assert abs(ours(moved, LossConfig("ipo", tau=0.2))[0] - their_loss) > 1e-2
