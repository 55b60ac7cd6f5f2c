"""The losses against numbers worked by hand, finite differences, and what is said of them."""

from math import exp, log

import pytest
import torch
from torch import tensor

from tsotrain import losses
from tsotrain.losses import LogRatios

LOSSES = {
    "dpo": lambda ratios: losses.dpo(ratios, beta=0.1),
    "cdpo": lambda ratios: losses.cdpo(ratios, beta=0.1, epsilon=0.3),
    "ipo": lambda ratios: losses.ipo(ratios, tau=0.2),
    **{
        form: lambda ratios, form=form: losses.dual_clip(
            ratios, beta=0.1, chosen_margin=20, rejected_margin=10, form=form
        )
        for form in ("separate", "joint", "linear")
    },
}


def sigmoid(x):
    return 1 / (1 + exp(-x))


def at(chosen, rejected):
    return LogRatios(tensor([chosen], dtype=torch.float64), tensor([rejected], dtype=torch.float64))


# rewards at beta 0.1: +1 and -0.5, margin 1.5
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dpo", -log(sigmoid(1.5))),
        ("cdpo", -0.7 * log(sigmoid(1.5)) - 0.3 * log(sigmoid(-1.5))),
        ("ipo", (15 - 2.5) ** 2),
        ("separate", -log(sigmoid(1)) - log(sigmoid(0.5))),
        ("joint", -log(sigmoid(1.5))),
        ("linear", -1.5),
    ],
)
def test_a_loss_is_what_its_equation_says(name, expected):
    assert LOSSES[name](at(10.0, -5.0)).item() == pytest.approx(expected, rel=1e-12)


# log-ratios of 30 and -25: clipped to 20 and -10, rewards 2 and -1
@pytest.mark.parametrize(
    ("form", "expected"),
    [("separate", -log(sigmoid(2)) - log(sigmoid(1))), ("joint", -log(sigmoid(3))), ("linear", -3.0)],
)
def test_each_side_is_clipped_at_its_own_margin(form, expected):
    assert LOSSES[form](at(30.0, -25.0)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", ["separate", "joint", "linear"])
def test_a_clipped_side_has_no_gradient_at_all(form):
    ratios = LogRatios(tensor([30.0, 3.0], requires_grad=True), tensor([-3.0, -25.0], requires_grad=True))
    LOSSES[form](ratios).sum().backward()

    assert ratios.chosen.grad[0] == 0
    assert ratios.chosen.grad[1] < 0
    assert ratios.rejected.grad[0] > 0
    assert ratios.rejected.grad[1] == 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_gradient_is_that_of_finite_differences(name):
    points = (tensor([3.0, -2.0], dtype=torch.float64), tensor([-4.0, 1.0], dtype=torch.float64))
    inputs = tuple(point.requires_grad_() for point in points)

    assert torch.autograd.gradcheck(lambda chosen, rejected: LOSSES[name](LogRatios(chosen, rejected)), inputs)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dpo", log(2)), ("cdpo", log(2)), ("ipo", 6.25), ("separate", 2 * log(2)), ("joint", log(2)), ("linear", 0.0)],
)
def test_a_policy_that_is_its_reference_has_the_loss_of_a_coin(name, expected):
    assert LOSSES[name](at(0.0, 0.0)).item() == pytest.approx(expected, abs=1e-12)


def test_joint_is_dpo_until_a_side_is_clipped():
    ratios = LogRatios(torch.linspace(-30, 20, 60), torch.linspace(-10, 30, 60))

    assert torch.allclose(LOSSES["joint"](ratios), LOSSES["dpo"](ratios))


def test_ipo_over_means_divides_each_side_by_its_length():
    ratios = losses.mean_ratios(LogRatios(tensor([12.0]), tensor([-6.0])), tensor([4]), tensor([3]))

    assert losses.ipo(ratios, tau=0.5).item() == pytest.approx((3 + 2 - 1) ** 2)


def test_the_gradient_scale_falls_as_the_margin_grows():
    scale = losses.gradient_scale(LogRatios(tensor([0.0, 10.0]), tensor([0.0, -10.0])), beta=0.1)

    assert scale.tolist() == pytest.approx([0.05, 0.1 * sigmoid(-2)])


def test_supervised_tuning_pays_for_each_nat_of_surprise():
    assert losses.sft(tensor([log(0.25), log(0.5) + log(0.125)])).tolist() == pytest.approx([log(4), log(16)])


# two lists: answers of 2, 4 and 1 tokens at -1, -0.5 and -0.25 nats a token; and of 1 and 2 tokens at -1 and -2
LOGPS = tensor([[-2.0, -2.0, -0.25], [-1.0, -4.0, 0.0]], dtype=torch.float64)
LENGTHS = tensor([[2, 4, 1], [1, 2, 0]])


def test_rrhf_pays_for_each_worse_answer_above_a_better_one_and_learns_the_best():
    found = losses.rrhf(LOGPS, LENGTHS)

    assert found.tolist() == pytest.approx([(0.5 + 0.75 + 0.25) + 2.0, 0.0 + 1.0])


def test_pro_is_a_softmax_over_what_is_left_at_each_place_and_learns_the_best():
    found = losses.pro(LOGPS, LENGTHS, sft_weight=0.05)
    first = -log(exp(-1) / (exp(-1) + exp(-0.5) + exp(-0.25)))
    second = -log(exp(-0.5) / (exp(-0.5) + exp(-0.25)))

    assert found.tolist() == pytest.approx(
        [first + second + 0.05 * 4 * 2.0, -log(exp(-1) / (exp(-1) + exp(-2))) + 0.05 * 1.0]
    )


def test_pro_on_a_pair_of_single_tokens_is_dpo_without_a_reference():
    logps = tensor([[-1.0, -3.0]])

    assert losses.pro(logps, tensor([[1, 1]]), sft_weight=0).item() == pytest.approx(-log(sigmoid(2)))


@pytest.mark.parametrize("loss", [losses.rrhf, lambda *args: losses.pro(*args, sft_weight=0.05)])
def test_a_gradient_of_lists_is_that_of_finite_differences_and_none_of_what_is_not_there(loss):
    logps = LOGPS.clone().requires_grad_()
    loss(logps, LENGTHS).sum().backward()

    assert logps.grad.isfinite().all()
    assert logps.grad[1, 2] == 0
    assert torch.autograd.gradcheck(lambda logps: loss(logps, LENGTHS), (logps,))
