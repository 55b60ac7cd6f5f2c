"""The curves of a stage or of several in a row, as PNG and SVG: what their metrics.jsonl say, nothing else.

Four plots over the steps: rewards of both sides with the clip lines, margin and accuracy, the scale of the gradient,
and the learning rate. Lines across mark where one stage ends and its policy becomes the next one's reference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tsotrain.errors import TrainError
from tsotrain.metrics import read_log

CHOSEN, REJECTED, NEUTRAL = "#0072B2", "#D55E00", "#444444"  # Okabe and Ito (2008): told apart by everybody

_BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.03), "ncols": 3, "frameon": False}


def draw_curves(stages: Sequence[Path], out: Path) -> list[Path]:
    """Draw the stages in the folders, in order, and return the files: `out` with .png and .svg.

    Raises:
        TrainError: a folder holds no step, or matplotlib is missing.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise TrainError("curves need matplotlib; pip install 'tso[plots]'") from None
    lines = [_read(stage) for stage in stages]
    with mpl.rc_context({"svg.hashsalt": "tso", "axes.spines.top": False, "axes.spines.right": False, "font.size": 9}):
        figure = Figure(figsize=(10, 7), layout="constrained")
        _draw(figure.subplots(2, 2, sharex=True), lines, _on_one_axis(lines))
        _draw_clip_lines(figure.axes[0], _loss(stages[0]))
        out.parent.mkdir(parents=True, exist_ok=True)
        files = [out.with_suffix(suffix) for suffix in (".png", ".svg")]
        for file in files:
            figure.savefig(file, dpi=150, metadata={"Date": None} if file.suffix == ".svg" else None)
    return files


def _read(stage: Path) -> list[dict[str, Any]]:
    lines = read_log(stage / "metrics.jsonl")
    if not lines:
        raise TrainError(f"{stage}: no step in metrics.jsonl; name the folder of a stage that has begun")
    if "chosen_reward" not in lines[-1]:
        raise TrainError(f"{stage}: it learnt without a reference, so it has no rewards to draw")
    return lines


def _loss(stage: Path) -> dict[str, Any]:
    try:
        identity = json.loads((stage / "stage.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainError(f"{stage}: no stage.json; name the folder of a stage") from error
    loss: dict[str, Any] = json.loads(identity["config"])["loss"]
    return loss


def _on_one_axis(stages: Sequence[Sequence[dict[str, Any]]]) -> list[list[int]]:
    """Return the steps of each stage, counted on from those of the stages before."""
    places: list[list[int]] = []
    start = 0
    for lines in stages:
        places.append([start + line["step"] for line in lines])
        start = places[-1][-1]
    return places


def _draw(axes: Any, stages: Sequence[Sequence[dict[str, Any]]], places: Sequence[Sequence[int]]) -> None:
    is_short = sum(map(len, places)) < 30

    def plot(axis: Any, name: str, label: str, colour: str) -> None:
        """Draw each stage by itself: at a border the reference changes, and nothing leads across."""
        for lines, steps in zip(stages, places, strict=True):
            axis.plot(
                steps, [line[name] for line in lines], color=colour, marker="o" if is_short else None, markersize=3
            )
        axis.lines[-1].set_label(label)

    (rewards, margins), (scale, rate) = axes
    plot(rewards, "chosen_reward", "chosen", CHOSEN)
    plot(rewards, "rejected_reward", "rejected", REJECTED)
    rewards.set(title="Reward (beta x log-ratio)", ylabel="reward")
    rewards.margins(y=0.12)
    plot(margins, "margin", "margin", NEUTRAL)
    margins.set(title="Margin and share of pairs ranked right", ylabel="reward")
    accuracy = margins.twinx()
    plot(accuracy, "accuracy", "accuracy", CHOSEN)
    accuracy.set(ylim=(-0.02, 1.02), ylabel="accuracy")
    margins.legend(handles=[margins.lines[-1], accuracy.lines[-1]], **_BELOW)
    plot(scale, "gradient_scale", "gradient scale", NEUTRAL)
    scale.set(title="Gradient scale (App. D.1)", xlabel="step", ylabel="beta x sigma(-margin)", ylim=(0, None))
    plot(rate, "learning_rate", "learning rate", NEUTRAL)
    rate.set(title="Learning rate", xlabel="step", ylabel="learning rate", ylim=(0, None))
    for axis in (rewards, margins, scale, rate):
        for steps in places[:-1]:
            axis.axvline(steps[-1] + 0.5, color=NEUTRAL, linewidth=0.8, linestyle=":")
    for number, steps in enumerate(places if len(places) > 1 else [], 1):
        where = {"x": (steps[0] + steps[-1]) / 2, "y": 0.99, "ha": "center", "va": "top", "backgroundcolor": "white"}
        rewards.text(s=f"stage {number}", transform=rewards.get_xaxis_transform(), color=NEUTRAL, **where)


def _draw_clip_lines(rewards: Any, loss: dict[str, Any]) -> None:
    rewards.axhline(0, color=NEUTRAL, linewidth=0.6)
    if loss["name"] == "dual_clip":
        clips = ((loss["chosen_margin"], CHOSEN), (-loss["rejected_margin"], REJECTED))
        for margin, colour in clips:
            rewards.axhline(loss["beta"] * margin, color=colour, linewidth=0.8, linestyle="--")
        rewards.plot([], [], color=NEUTRAL, linewidth=0.8, linestyle="--", label="clip")
    rewards.legend(**_BELOW)
