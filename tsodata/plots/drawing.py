"""Plots of a report: reads what they show from the store, and writes them whole, or not at all.

A plot is drawn where its section is in the report and has something to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tsodata.errors import DataError, UsageError
from tsodata.placing import placed_whole
from tsodata.plots import charts
from tsodata.plots.charts import Heading
from tsodata.plots.style import save, styled
from tsodata.stats.computing import Question, Statistics
from tsodata.stats.measuring import Measure, Scope

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from tsodata.matrix import ModelMatrix
    from tsodata.stats.figures import Figure, Report
    from tsodata.store import Store

N_MOST = 20_000  # dots and values of one plot; more would only take longer to show the same
N_BINS = 20
NAMES = ("shape-map", "score-histograms", "win-matrix", "margins", "lengths")


class Plot(NamedTuple):
    """A drawing and the name of its files."""

    name: str
    drawing: Drawing


def draw_plots(store: Store, report: Report, folder: Path, *, question: Question) -> list[str]:
    """Write the plots of a report, and of the question it answers, as PNG and SVG, and return their names.

    The folder's earlier plots are replaced; one that holds anything else is left alone.

    Raises:
        UsageError: the folder holds something else, or matplotlib is not installed.
        DataError: there is nothing to draw, or the disk does not take it.
    """
    folder = folder.resolve()
    _refuse_others(folder)
    with styled():
        with store.reader() as reader:
            plots = list(_iter_plots(Statistics.of(reader, question), report))
        if not plots:
            raise DataError(f"{folder}: nothing to draw: the store has no scores, preferences or pairs to show")
        try:
            with placed_whole(folder, replacing=folder.exists()) as partial:
                for plot in plots:
                    save(plot.drawing, partial, plot.name)
        except OSError as error:
            raise DataError(f"{folder}: the plots cannot be written: {error.strerror or error}") from error
    return [plot.name for plot in plots]


def _refuse_others(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the plots")
    others = [
        entry.name
        for entry in (folder.iterdir() if folder.exists() else ())
        if not (entry.name.startswith(NAMES) and entry.suffix in (".png", ".svg"))
    ]
    if others:
        raise UsageError(f"{folder} holds {min(others)!r}, which is no plot; name another folder with --plots")


def _iter_plots(statistics: Statistics, report: Report) -> Iterator[Plot]:
    shown = {figure.section for figure in report.figures}
    if "shape" in shown:
        yield from _shape_map(statistics)
    if {"cells", "shape"} & shown:
        yield from _score_histograms(statistics)
    if "wins" in shown:
        yield from _win_matrices(report.section("wins"))
    if "margins" in shown:
        yield from _margins(statistics, report)
    if "length" in shown:
        yield from _lengths(statistics)


def _shape_map(statistics: Statistics) -> Iterator[Plot]:
    scope = statistics.scope("shape")
    scope.list_rows(Measure("map", "shape", "n_scores"), g1="g1", g2="g2", mean="mean")
    rows = scope.reader.rows("summaries/shown_shapes", n_most=N_MOST)
    if not rows:
        return
    shapes = [charts.Shape(*row) for row in rows]
    shown = f"{len(shapes)} prompts" if len(shapes) < N_MOST else f"{N_MOST} of the prompts"
    heading = Heading("Shape of each prompt's scores", f"{shown}; scores by {_judge(statistics)}")
    yield Plot("shape-map", charts.shape_map(shapes, heading))


def _score_histograms(statistics: Statistics) -> Iterator[Plot]:
    scope = statistics.scope("shape")
    lowest, highest, scale_min, scale_max = scope.reader.rows("stats/score_range", rubric=statistics.scores.rubric)[0]
    if lowest is None:
        return
    low = min(lowest, scale_min) if scale_min is not None else lowest
    high = max(highest, scale_max) if scale_max is not None else highest
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins: dict[str, list[int]] = {}
    totals: dict[str, float] = {}
    for source, bin_, n, total in scope.reader.rows("stats/score_bins", low=low, high=high, n_bins=N_BINS):
        bins.setdefault(source, [0] * N_BINS)[bin_] = n
        totals[source] = totals.get(source, 0.0) + total
    histograms = [
        charts.Histogram(source, counts, totals[source] / sum(counts), _side(source, statistics.matrix))
        for source, counts in bins.items()
    ]
    edges = [low + (high - low) * i / N_BINS for i in range(N_BINS + 1)]
    heading = Heading("Scores of each source's answers", f"by {_judge(statistics)}; dashed: the mean")
    yield Plot("score-histograms", charts.score_histograms(histograms, edges, heading))


def _side(source: str, matrix: ModelMatrix | None) -> str:
    if matrix is None:
        return "neither"
    if source == matrix.base.label:
        return "base"
    if source in {found.label for found in matrix.chosen}:
        return "chosen"
    return "rejected" if source in {found.label for found in matrix.rejected} else "neither"


def _win_matrices(figures: list[Figure]) -> Iterator[Plot]:
    kinds: dict[tuple[str, ...], list[Figure]] = {}
    for figure in figures:
        subject = [value for name, value in figure.subject.items() if name not in ("source", "against")]
        kinds.setdefault((figure.name, *subject), []).append(figure)
    for number, ((name, *by), found) in enumerate(sorted(kinds.items()), 1):
        wins = [_win(figure) for figure in found if figure.value is not None]
        detail = ", ".join([name, *by])
        if any(win.violates for win in wins):
            detail += "; framed: a rejected source beats a chosen one"
        heading = Heading("Who wins over whom", detail)
        one = _the_one(wins)
        if one is None:
            drawing = charts.win_matrix(wins, heading)
        else:
            drawing = charts.wins_over_one([win for win in wins if win.against == one], heading)
        yield Plot(f"win-matrix-{number}" if len(kinds) > 1 else "win-matrix", drawing)


def _win(figure: Figure) -> charts.Win:
    interval = figure.interval
    violates = figure.threshold is not None and figure.verdict == figure.threshold.without
    return charts.Win(
        source=figure.subject["source"],
        against=figure.subject["against"],
        share=float(figure.value or 0.0),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        violates=violates,
    )


def _the_one(wins: list[charts.Win]) -> str | None:
    """Return the source that is in every comparison, where there are several: a matrix would be empty but for it."""
    pairs = [{win.source, win.against} for win in wins]
    common = set.intersection(*pairs)
    return min(common) if len(common) == 1 else None


def _margins(statistics: Statistics, report: Report) -> Iterator[Plot]:
    builds = []
    for build in statistics.builds:
        scope = statistics.scope("margins", build)
        values = _values(scope, "pair_scores", "margin")
        if values:
            builds.append(charts.Margins(build.name, values, _noise(report, build.name)))
    if builds:
        detail = "left of 0 the rejected answer scores higher"
        if any(build.noise_sd for build in builds):
            detail += "; shaded: 1 and 2 standard deviations of the judge's noise"
        heading = Heading("Margins of the pairs", detail)
        yield Plot("margins", charts.margin_histograms(builds, heading))


def _noise(report: Report, build: str) -> float | None:
    found = {figure.name: figure.value for figure in report.section("margins") if figure.subject["build"] == build}
    margin, in_noise = found.get("median margin"), found.get("median margin in noise sds")
    return margin / in_noise if margin and in_noise else None


def _lengths(statistics: Statistics) -> Iterator[Plot]:
    builds = []
    for build in statistics.builds:
        scope = statistics.scope("length", build)
        chosen = _values(scope, "pair_lengths", "chosen_chars")
        if chosen:
            builds.append(charts.Lengths(build.name, chosen, _values(scope, "pair_lengths", "rejected_chars")))
    if builds:
        heading = Heading("Lengths of both sides", "a judge that likes length shows as two hills")
        yield Plot("lengths", charts.length_histograms(builds, heading))


def _values(scope: Scope, listing: str, column: str) -> list[float]:
    scope.list_rows(Measure(column, listing, column))
    return [float(value) for (value,) in scope.reader.rows("summaries/shown_values", n_most=N_MOST)]


def _judge(statistics: Statistics) -> str:
    return f"{statistics.scores.judge}, {statistics.scores.rubric}"
