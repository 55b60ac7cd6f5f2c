"""The paper's figures from the results, in the style of the product's plots."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from miniature.cells import BASE
from miniature.experiments import BETAS, HOT, LEARNING_RATE
from miniature.summary import Results
from miniature.tables import NAMES, by_score, curve, mark
from tsodata.plots.style import BLACK, BLUE, GREEN, GREY, VERMILION, blank, save, styled

_COLOURS = {"dpo": VERMILION, "separate": BLUE, "joint": GREEN, "linear": GREY}
_TOLD = {"dpo": "DPO", "separate": "dual clip, separate", "joint": "dual clip, joint", "linear": "dual clip, linear"}


def draw(results: Results, folder: Path, *, maps: Path | None) -> None:
    """Draw everything into a folder; `maps` is a seed's folder of the product's own plots."""
    folder.mkdir(parents=True, exist_ok=True)
    with styled():
        for name, figure in (
            ("rewards", _rewards(results)),
            ("beta", _beta(results)),
            ("gradient-scale", _gradient_scale(results)),
            ("stages", _stages(results)),
            ("negatives", _negatives(results)),
        ):
            save(figure, folder, name)
            (folder / f"{name}.svg").unlink()  # the page shows the other
    if maps and (maps / "shape-map.png").exists():
        shutil.copy(maps / "shape-map.png", folder / "shape-map.png")


def _mean_curve(results: Results, unit: str, name: str, key: str) -> tuple[list[float], list[float], list[float]]:
    """Return a figure's mean over seeds by step, smoothed over five steps, and its least and most."""
    curves = [_smooth(curve(seed, unit, name, key)) for seed in results.seeds]
    n = min(map(len, curves))
    columns = [[one[step] for one in curves] for step in range(n)]
    return [statistics.fmean(c) for c in columns], [min(c) for c in columns], [max(c) for c in columns]


def _smooth(values: Sequence[float]) -> list[float]:
    return [statistics.fmean(values[max(0, step - 2) : step + 3]) for step in range(len(values))]


def _plot(axes: Any, found: tuple[list[float], list[float], list[float]], colour: str, label: str | None) -> None:
    mean, low, high = found
    steps = range(1, len(mean) + 1)
    axes.plot(steps, mean, color=colour, label=label)
    axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)


def _rewards(results: Results) -> Any:
    """Fig. 3: rewards of both sides by step, loss by loss, at both learning rates."""
    figure, panels = blank(9.6, 6.2, rows=2, columns=2)
    rows = (("one-pass", LEARNING_RATE), ("hot", HOT))
    sides = (("chosen_reward", "chosen"), ("rejected_reward", "rejected"))
    for axes, ((unit, rate), (key, side)) in zip(panels, product(rows, sides), strict=True):
        for loss, colour in _COLOURS.items():
            _plot(axes, _mean_curve(results, unit, loss, key), colour, _TOLD[loss])
        axes.axhline(0 if side == "chosen" else -1, color=BLACK, linewidth=0.7, linestyle="--")
        axes.set(title=f"Reward of the {side} side, learning rate {rate:g}", xlabel="step", ylabel="beta x log-ratio")
    panels[0].legend(frameon=False)
    return figure


def _beta(results: Results) -> Any:
    """Fig. 4: final rewards over beta."""
    figure, panels = blank(9.6, 3.4, columns=3)
    for axes, key, title in zip(
        panels, ("chosen_reward", "rejected_reward", "margin"), ("Chosen", "Rejected", "Margin"), strict=True
    ):
        for loss, colour in _COLOURS.items():
            means = [results.over(mark("betas", f"beta-{beta}-{loss}", key)).mean for beta in BETAS]
            axes.plot(BETAS, means, color=colour, marker="o", markersize=4, label=_TOLD[loss])
        axes.axhline(0, color=BLACK, linewidth=0.6)
        axes.set(
            title=f"{title} reward, second epoch" if key != "margin" else "Margin of rewards",
            xlabel="beta",
            xscale="log",
        )
        axes.set_xticks(BETAS, [f"{beta:g}" for beta in BETAS])
        axes.minorticks_off()
    panels[0].legend(frameon=False)
    return figure


def _gradient_scale(results: Results) -> Any:
    """Fig. 6: the scale of DPO's gradient by step, with one reference and with three."""
    figure, (axes,) = blank(6.4, 3.6)
    _plot(axes, _mean_curve(results, "one-pass", "dpo", "gradient_scale"), VERMILION, "one pass, one reference")
    start = 0
    for stage in (1, 2, 3):
        mean, low, high = _mean_curve(results, "minibatches", f"thirds-dpo-{stage}", "gradient_scale")
        steps = range(start + 1, start + len(mean) + 1)
        axes.plot(steps, mean, color=BLUE, label="three minibatches, a new reference each" if stage == 1 else None)
        axes.fill_between(steps, low, high, color=BLUE, alpha=0.15, linewidth=0)
        start += len(mean)
        if stage < 3:
            axes.axvline(start + 0.5, color=GREY, linewidth=0.8, linestyle=":")
    axes.set(xlabel="step", ylabel="beta x sigma(-margin)", ylim=(0, None), title="Gradient scale (App. D.1), DPO")
    axes.legend(frameon=False)
    return figure


def _stages(results: Results) -> Any:
    """Table 5 as a picture: the score by stage, each seed a thin line."""
    figure, (axes,) = blank(5.6, 3.6)
    for unit, name, colour, told in (
        ("staged", "tso", BLUE, "TSO"),
        ("self-reward", "self", VERMILION, "Self-Reward†"),
        ("right-judge", "ruled", GREEN, "TSO, judged by the rule"),
    ):
        lines = [
            [mark("exam", BASE)(seed), *(mark(unit, f"{name}-{stage}")(seed) for stage in (1, 2, 3))]
            for seed in results.seeds
        ]
        for line in lines:
            axes.plot(range(4), line, color=colour, linewidth=0.7, alpha=0.5)
        mean = [statistics.fmean(column) for column in zip(*lines, strict=True)]
        axes.plot(range(4), mean, color=colour, marker="o", markersize=4, linewidth=2, label=told)
    axes.set_xticks(range(4), ["base", "1", "2", "3"])
    axes.set(xlabel="stage", ylabel="score by the rule", title="Stage by stage (Table 5)")
    axes.legend(frameon=False)
    return figure


def _negatives(results: Results) -> Any:
    """Table 3 as a picture: how good the only negative is, against what its policy gains."""
    figure, (axes,) = blank(6.0, 3.8)
    base = results.over(mark("exam", BASE)).mean
    for cell in by_score(results):
        x = results.over(mark("exam", cell)).mean
        values = [mark("negatives", cell)(seed) - mark("exam", BASE)(seed) for seed in results.seeds]
        colour = VERMILION if cell == BASE else BLUE
        axes.plot([x] * len(values), values, "o", color=colour, markersize=3, alpha=0.4)
        axes.plot([x], [statistics.fmean(values)], "D", color=colour, markersize=6)
        axes.annotate(NAMES[cell], (x, max(values)), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=7)
    axes.axhline(0, color=BLACK, linewidth=0.6)
    axes.axvline(base, color=GREY, linewidth=0.8, linestyle=":")
    axes.set(
        title="One cell as the only negative (Table 3)",
        xlabel="score of the negative cell (dotted: the base's)",
        ylabel="policy's score minus base's",
    )
    axes.margins(y=0.15)
    return figure
