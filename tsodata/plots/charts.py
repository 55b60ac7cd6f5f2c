"""The charts: plain numbers in, a figure out. Knows nothing of the store, and nothing of files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tsodata.plots.style import BLACK, BLUE, GREY, SIDE_COLOURS, VERMILION, blank

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

_MOST_COLUMNS = 5
_MOST_WRITTEN = 24  # cells of a matrix on one side, above which its numbers are left to the colours
_CHARACTER_IN = 0.068  # a tick label's inches per character
_LIGHT = "#E8E8E8"


class Heading(NamedTuple):
    """A title and a line of detail beneath it."""

    title: str
    detail: str


class Shape(NamedTuple):
    """One prompt on the map."""

    g1: float
    g2: float
    mean: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in bins of equal width, with the mean of what is counted; `side` gives the colour."""

    label: str
    counts: Sequence[int]
    mean: float
    side: str = "neither"


class Win(NamedTuple):
    """How often a source wins against another, its interval, and whether that breaks the declared roles."""

    source: str
    against: str
    share: float
    low: float | None
    high: float | None
    violates: bool


class Margins(NamedTuple):
    """The margins of a build, and its judge's noise where it is known."""

    label: str
    values: Sequence[float]
    noise_sd: float | None


class Lengths(NamedTuple):
    """The lengths of a build's chosen and rejected answers, in characters."""

    label: str
    chosen: Sequence[float]
    rejected: Sequence[float]


def shape_map(shapes: Sequence[Shape], heading: Heading) -> Figure:
    """Return the map of skewness and excess kurtosis, one dot per prompt, coloured by the mean score (Fig. 5)."""
    figure, (axes,) = blank(6.4, 5.4)
    x, y = [s.g1 for s in shapes], [s.g2 for s in shapes]
    size = 26 if len(shapes) < 500 else 9
    dots = axes.scatter(x, y, c=[s.mean for s in shapes], cmap="viridis", s=size, alpha=0.85, linewidths=0)
    axes.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.set_xlim(*_roomy(x))
    axes.set_ylim(*_roomy(y, room=0.16))
    for is_right in (False, True):
        for is_high in (False, True):
            n = sum((s.g1 >= 0) == is_right and (s.g2 >= 0) == is_high for s in shapes)
            axes.text(
                0.98 if is_right else 0.02, 0.98 if is_high else 0.02, f"{n / len(shapes):.0%} of prompts",
                transform=axes.transAxes, ha="right" if is_right else "left", va="top" if is_high else "bottom",
                fontsize=8, color="#444444",
            )  # fmt: skip
    axes.set_xlabel("skewness G1 of the prompt's scores  (below 0: a few bad answers)")
    axes.set_ylabel("excess kurtosis G2  (below 0: spread evenly)")
    figure.colorbar(dots, ax=axes, label="mean score of the prompt", shrink=0.9, pad=0.02)
    _head(axes, heading)
    return figure


def _roomy(values: Sequence[float], room: float = 0.08) -> tuple[float, float]:
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    return low - room * span, high + room * span


def score_histograms(histograms: Sequence[Histogram], edges: Sequence[float], heading: Heading) -> Figure:
    """Return one panel per source, all on the same axes, the highest mean first; the line is the mean."""
    ordered = sorted(histograms, key=lambda h: (-h.mean, h.label))
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(ordered))))
    rows = math.ceil(len(ordered) / columns)
    figure, panels = blank(max(2.1 * columns, 5), 1.4 * rows + 1.4, rows=rows, columns=columns, shared=True)
    width = edges[1] - edges[0]
    for axes, histogram in zip(panels, ordered, strict=False):
        total = sum(histogram.counts)
        shares = [n / total for n in histogram.counts]
        axes.bar(edges[:-1], shares, width=width * 0.92, align="edge", color=SIDE_COLOURS[histogram.side])
        axes.axvline(histogram.mean, color=BLACK, linewidth=1, linestyle=(0, (2, 2)))
        axes.set_title(f"{histogram.label}\nmean {histogram.mean:.2f}, n {total}", fontsize=7.5, loc="left")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.xaxis.set_major_locator(_ticks(is_whole=edges[-1] - edges[0] > 4))
    for axes in panels[len(ordered) :]:
        axes.set_visible(False)
    for position in range(len(ordered) - columns, len(ordered)):
        if position >= 0:
            panels[position].tick_params(labelbottom=True)
            panels[position].set_xlabel("score")
    figure.supylabel("share of the source's answers", fontsize=9)
    _head_over(figure, heading, {h.side for h in ordered})
    return figure


def win_matrix(wins: Sequence[Win], heading: Heading) -> Figure:
    """Return how often the row wins over the column, the strongest first; framed where it breaks the declared roles."""
    names = _by_strength(wins)
    place = {name: position for position, name in enumerate(names)}
    grid = [[math.nan] * len(names) for _ in names]
    for win in wins:
        grid[place[win.source]][place[win.against]] = win.share
    cell = 0.42 if len(names) <= _MOST_WRITTEN else 0.22
    side = max(cell * len(names), 2.4)
    room = _CHARACTER_IN * max(len(name) for name in names) + 0.3
    figure, (axes,) = blank(side + room + 1.4, side + room + 0.8)
    import matplotlib as mpl

    colours = mpl.colormaps["PuOr_r"].with_extremes(bad=_LIGHT)
    image = axes.imshow(grid, cmap=colours, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(names) <= _MOST_WRITTEN:
        _write_shares(axes, grid, colours)
    _frame(axes, [(place[win.against], place[win.source]) for win in wins if win.violates])
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / side), pad=0.02, label="the row wins (ties half)")
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _head(axes, heading)
    return figure


def _by_strength(wins: Sequence[Win]) -> list[str]:
    shares: dict[str, list[float]] = {}
    for win in wins:
        shares.setdefault(win.source, []).append(win.share)
    return sorted(shares, key=lambda name: (-sum(shares[name]) / len(shares[name]), name))


def _write_shares(axes: Axes, grid: Sequence[Sequence[float]], colours: Colormap) -> None:
    for row, shares in enumerate(grid):
        for column, share in enumerate(shares):
            if not math.isnan(share):
                red, green, blue, _ = colours(share)
                ink = BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"  # BT.601 luma
                axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=ink)


def _frame(axes: Axes, places: Sequence[tuple[int, int]]) -> None:
    from matplotlib.patches import Rectangle

    for x, y in places:
        axes.add_patch(Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, edgecolor=BLACK, linewidth=1.8))


def wins_over_one(wins: Sequence[Win], heading: Heading) -> Figure:
    """Return how often each source wins over the one that all were compared with, with intervals."""
    ordered = sorted(wins, key=lambda win: (win.share, win.source))
    figure, (axes,) = blank(6.4, 0.28 * len(ordered) + 1.5)
    for position, win in enumerate(ordered):
        if win.low is not None and win.high is not None:
            axes.plot([win.low, win.high], [position, position], color=BLUE, linewidth=2, solid_capstyle="butt")
        axes.plot(win.share, position, "o", color=BLUE, markersize=5)
        axes.annotate(
            f"{win.share:.1%}",
            (win.share, position),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(ordered)), [win.source for win in ordered])
    axes.set_ylim(-0.6, len(ordered) - 0.2)
    axes.set_xlim(-0.03, 1.03)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel(f"wins over {ordered[0].against}  (bars: 95 % of a bootstrap by prompt)")
    _head(axes, heading)
    return figure


def margin_histograms(builds: Sequence[Margins], heading: Heading) -> Figure:
    """Return the margins of each build, with the judge's noise shaded: one and two standard deviations."""
    columns = min(3, len(builds))
    rows = math.ceil(len(builds) / columns)
    figure, panels = blank(max(4.2 * columns, 6), 2.7 * rows + 0.8, rows=rows, columns=columns)
    for axes, build in zip(panels, builds, strict=False):
        edges = _edges_from_zero(build.values, _n_bins(len(build.values)))
        axes.hist(build.values, bins=edges, color=BLUE, edgecolor="white", linewidth=0.4)
        axes.axvline(0, color=BLACK, linewidth=1)
        if build.noise_sd:
            for n_sds in (2, 1):
                axes.axvspan(
                    -n_sds * build.noise_sd, n_sds * build.noise_sd, color=VERMILION, alpha=0.12, linewidth=0, zorder=0
                )
        axes.set_title(f"{build.label}, {len(build.values)} pairs", loc="left")
        axes.set_xlabel("chosen minus rejected score")
        axes.set_ylabel("pairs")
        axes.yaxis.set_major_locator(_ticks(is_whole=True))
    for axes in panels[len(builds) :]:
        axes.set_visible(False)
    _head_over(figure, heading, set())
    return figure


def length_histograms(builds: Sequence[Lengths], heading: Heading) -> Figure:
    """Return the lengths of both sides of each build, on a logarithmic axis, with their medians."""
    from matplotlib.ticker import LogLocator, NullFormatter

    columns = min(3, len(builds))
    rows = math.ceil(len(builds) / columns)
    figure, panels = blank(max(4.2 * columns, 6), 2.7 * rows + 0.8, rows=rows, columns=columns)
    for axes, build in zip(panels, builds, strict=False):
        logs = [math.log10(length) for length in (*build.chosen, *build.rejected)]
        edges = [10**edge for edge in _edges(logs, _n_bins(len(logs)))]
        for side, values in (("chosen", build.chosen), ("rejected", build.rejected)):
            median = sorted(values)[len(values) // 2]
            colour, dashes = SIDE_COLOURS[side], "-" if side == "chosen" else (0, (4, 2))
            label = f"{side}, median {median:,.0f}"
            axes.hist(values, bins=edges, histtype="step", color=colour, linewidth=1.6, linestyle=dashes, label=label)
            axes.hist(values, bins=edges, color=colour, alpha=0.12)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if edges[-1] / edges[0] < 300 else (1,)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
        axes.legend(loc="upper left", frameon=False, ncols=1)
        axes.set_title(f"{build.label}, {len(build.chosen)} pairs", loc="left")
        axes.set_xlabel("length in characters (logarithmic)")
        axes.set_ylabel("answers")
        axes.yaxis.set_major_locator(_ticks(is_whole=True))
    for axes in panels[len(builds) :]:
        axes.set_visible(False)
    _head_over(figure, heading, set())
    return figure


def _n_bins(n: int) -> int:
    return min(40, max(8, math.ceil(1.5 * math.sqrt(n))))


def _ticks(*, is_whole: bool) -> Locator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, integer=is_whole)


def _edges(values: Sequence[float], n_bins: int) -> list[float]:
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return [low + (high - low) * i / n_bins for i in range(n_bins + 1)]


def _edges_from_zero(values: Sequence[float], n_bins: int) -> list[float]:
    """Return edges of which one is 0, so that no bin holds margins of both signs."""
    width = (max(values) - min(values)) / n_bins or 1.0
    first, last = math.floor(min(values) / width), math.floor(max(values) / width) + 1
    return [width * i for i in range(first, last + 1)]


def _head(axes: Axes, heading: Heading) -> None:
    axes.set_title(heading.title, loc="left", fontsize=11, fontweight="bold", pad=22)
    axes.annotate(
        heading.detail, (0, 1), xycoords="axes fraction", xytext=(0, 7), textcoords="offset points",
        fontsize=8, color="#555555", va="bottom",
    )  # fmt: skip


def _head_over(figure: Figure, heading: Heading, sides: set[str]) -> None:
    from matplotlib.patches import Patch

    figure.suptitle(f"{heading.title}\n", x=0.01, ha="left", fontsize=11, fontweight="bold")
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.34 / height, heading.detail, fontsize=8, color="#555555", va="center")
    if sides - {"neither"}:
        shown = [side for side in SIDE_COLOURS if side in sides]
        handles = [Patch(color=SIDE_COLOURS[side], label=side) for side in shown]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
