"""Plots of a small store: which are drawn, that they are the same each time, and whole or not at all."""

import json
import random
import re

import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from tsodata.builds import build_pairs
from tsodata.errors import DataError, UsageError
from tsodata.importers import import_files
from tsodata.plots import charts, draw_plots, drawing, style
from tsodata.plots.charts import Heading, Histogram, Lengths, Margins, Shape, Win
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe
from tsodata.stats import Question, compute_stats
from tsodata.store import Store

CELLS = [("v1", "1"), ("v1", "7"), ("v2", "7"), ("v2", "13"), ("v$2_{x}", "13")]
ALL = ["shape-map", "score-histograms", "win-matrix", "margins", "lengths"]
HEADING = Heading("A title", "a detail")


def rows(*, scored):
    draw = random.Random(7)
    for number in range(12):
        for place, (version, size) in enumerate(CELLS):
            row = {"prompt": f"question {number}", "family": "m", "version": version, "size": size}
            row["response"] = f"{version} {size} says " + "so " * draw.randint(1, 60)
            if scored:
                row |= {"judge": "j", "rubric": "r", "score": round(draw.uniform(2, 6) + place, 1)}
            yield row


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    store = Store.open(folder / "s.duckdb", create=True)
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows(scored=True)))
    with store.run(Run("test")) as run:
        import_files(store, "records", [folder / "rows.jsonl"], run=run)
    recipe = Recipe(pools={"matrix": Pool(draw="max_min", candidates=("cells",))}, minibatches=1)
    with store.run(Run("test")) as run:
        build_pairs(store, "b", base="m/v2/7", recipe=recipe, run=run)
    return store


def draw(store, folder, **asked):
    question = Question(**asked)
    return draw_plots(store, compute_stats(store, question), folder, question=question)


def test_each_plot_is_png_and_svg_and_has_the_same_bytes_each_time(drawn, tmp_path):
    assert draw(drawn, tmp_path / "one") == draw(drawn, tmp_path / "two") == ALL

    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == sorted(
        f"{name}.{kind}" for name in ALL for kind in ("png", "svg")
    )
    assert (tmp_path / "one" / "margins.png").read_bytes().startswith(b"\x89PNG")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    assert b"dc:date" not in (tmp_path / "one" / "margins.svg").read_bytes()


def test_only_the_sections_asked_for_are_drawn_and_earlier_plots_replaced(drawn, tmp_path):
    draw(drawn, tmp_path / "plots", sections=("margins",))

    assert draw(drawn, tmp_path / "plots", sections=("length",)) == ["lengths"]
    assert sorted(p.name for p in (tmp_path / "plots").iterdir()) == ["lengths.png", "lengths.svg"]


def test_a_folder_with_anything_else_is_left_alone(drawn, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")

    with pytest.raises(UsageError, match=r"holds 'thesis.tex', which is no plot; name another folder"):
        draw(drawn, tmp_path, sections=("length",))
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_a_file_is_no_folder(drawn, tmp_path):
    (tmp_path / "plots").write_text("x")

    with pytest.raises(UsageError, match="is a file"):
        draw(drawn, tmp_path / "plots", sections=("length",))


def test_nothing_to_draw_writes_nothing(store, run_import, tmp_path):
    run_import("records", list(rows(scored=False)))

    with pytest.raises(DataError, match="nothing to draw"):
        draw(store, tmp_path / "plots")
    assert not (tmp_path / "plots").exists()


def test_a_plot_that_fails_leaves_the_earlier_ones(drawn, tmp_path, monkeypatch):
    draw(drawn, tmp_path / "plots", sections=("length",))
    before = {p.name: p.read_bytes() for p in (tmp_path / "plots").iterdir()}

    def fails(*_):
        raise OSError("no space left")

    monkeypatch.setattr(drawing, "save", fails)
    with pytest.raises(DataError, match="cannot be written: no space left"):
        draw(drawn, tmp_path / "plots", sections=("length",))
    assert {p.name: p.read_bytes() for p in (tmp_path / "plots").iterdir()} == before


def texts(figure):
    return [text for axes in figure.axes for text in axes.texts]


def out_of_view(axes):
    """Yield the labels of ticks beyond the axes, which are kept but never drawn."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not (axes.get_visible() and low <= tick.get_loc() <= high):
                yield from (tick.label1, tick.label2)


def first_line(text, box):
    """Return the box without the empty line that keeps room for the detail under a title."""
    if not text.get_text().endswith("\n"):
        return box
    return Bbox([[box.x0, (box.y0 + box.y1) / 2], [box.x1, box.y1]])


def overlaps(figure):
    """Return the pairs of visible texts whose boxes overlap by more than a pixel."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    hidden = {id(label) for axes in figure.axes for label in out_of_view(axes)}
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in hidden]
    boxes = [(t.get_text(), first_line(t, t.get_window_extent(renderer)).padded(-1)) for t in shown]
    width, height = figure.canvas.get_width_height()
    inside = [(text, b) for text, b in boxes if b.x1 > 0 and b.y1 > 0 and b.x0 < width and b.y0 < height]
    cut = [text for text, b in inside if b.x0 < -1 or b.y0 < -1 or b.x1 > width + 1 or b.y1 > height + 1]
    pairs = [(a, b) for i, (a, one) in enumerate(inside) for b, other in inside[i + 1 :] if one.overlaps(other)]
    return pairs, cut


@pytest.fixture(scope="module")
def made():
    return list(iter_made())


def iter_made():
    draw_ = random.Random(1)
    names = [f"family/version-{i}/13" for i in range(20)]
    wins = [Win(a, b, draw_.random(), 0.1, 0.9, violates=a < b and draw_.random() < 0.1)
            for a in names for b in names if a != b]  # fmt: skip
    lengths = [draw_.lognormvariate(5, 1) + 1 for _ in range(300)]
    with style.styled():
        yield (
            "shape-map",
            charts.shape_map(
                [Shape(draw_.gauss(-0.5, 1), draw_.gauss(0, 1), draw_.random()) for _ in range(200)], HEADING
            ),
        )
        counts = [draw_.randint(0, 9) for _ in range(20)]
        edges = [float(i) for i in range(21)]
        for n in (1, 3, 23):
            histograms = [Histogram(name, counts, 5.0, "chosen") for name in (names * 2)[:n]]
            yield f"{n} histograms", charts.score_histograms(histograms, edges, HEADING)
        yield "matrix", charts.win_matrix(wins, HEADING)
        yield "small matrix", charts.win_matrix([w for w in wins if {w.source, w.against} < set(names[:3])], HEADING)
        yield "dots", charts.wins_over_one([win for win in wins if win.against == names[0]], HEADING)
        for n in (1, 5):
            builds = [Margins(name, [draw_.gauss(1, 2) for _ in range(90)], 0.7) for name in names[:n]]
            yield f"{n} margins", charts.margin_histograms(builds, HEADING)
            sides = [Lengths(name, lengths, [v / 2 + 1 for v in lengths]) for name in names[:n]]
            yield f"{n} lengths", charts.length_histograms(sides, HEADING)


def test_no_text_lies_over_another_or_leaves_the_picture(made):
    for name, figure in made:
        with style.styled():
            pairs, cut = overlaps(figure)
        assert (name, pairs, cut) == (name, [], [])


def test_every_panel_says_what_its_axes_are(made):
    for name, figure in made:
        if "matrix" in name:
            continue
        labels = [axes.get_xlabel() for axes in figure.axes if axes.get_visible()]
        assert any(labels), name


def test_the_map_tells_the_share_of_each_quadrant():
    shapes = [Shape(-1, -1, 5.0)] * 6 + [Shape(-1, 1, 5.0)] * 2 + [Shape(1, -1, 5.0), Shape(1, 1, 5.0)]
    with style.styled():
        figure = charts.shape_map(shapes, HEADING)

    shown = sorted(t.get_text() for t in texts(figure) if "prompts" in t.get_text())
    assert shown == ["10% of prompts", "10% of prompts", "20% of prompts", "60% of prompts"]


def test_the_strongest_source_is_the_first_row_and_shares_are_written():
    wins = [Win("a", "b", 0.2, None, None, violates=False), Win("b", "a", 0.8, None, None, violates=True)]
    with style.styled():
        figure = charts.win_matrix(wins, HEADING)
    axes = figure.axes[0]

    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert [t.get_text() for t in texts(figure) if re.fullmatch(r"\d+", t.get_text())] == ["80", "20"]
    assert [patch.get_xy() for patch in axes.patches] == [(pytest.approx(0.54), pytest.approx(-0.46))]  # b over a


def test_no_bin_of_margins_holds_both_signs():
    edges = charts._edges_from_zero([-1.3, 0.2, 4.0], 9)

    assert 0.0 in edges
    assert (edges[0] <= -1.3, edges[-1] >= 4.0) == (True, True)


def test_one_value_still_has_bins():
    assert charts._edges([3.0, 3.0], 2) == [2.5, 3.0, 3.5]
    assert charts._edges_from_zero([3.0], 4) == [3.0, 4.0]
