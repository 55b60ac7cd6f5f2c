"""How every plot looks: colours that colour-blind people can tell apart, one type size, no clock in the files.

The colours are those of Okabe and Ito (2008); maps use viridis and PuOr, which stay in order for everybody.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#8A8A8A", "#222222"
SIDE_COLOURS = {"chosen": BLUE, "rejected": VERMILION, "base": BLACK, "neither": GREY}
DPI = 150
_HASHED_ID = re.compile(
    r'(?<=id=")(?:[a-z]+|C\d+_\d+_)[0-9a-f]{10}(?=")|(?<=#)(?:[a-z]+|C\d+_\d+_)[0-9a-f]{10}(?=[")])'
)
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.axisbelow": True,
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a name with a dollar sign is a name
    "svg.fonttype": "path",
    "svg.hashsalt": "tso",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw without a screen and in this style for the length of the block.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise UsageError("plots need matplotlib; install it with: pip install 'tso[plots]'") from None
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        yield


def blank(
    width: float, height: float, *, rows: int = 1, columns: int = 1, shared: bool = False
) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many inches and its panels, row by row; shared panels have the same axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.07)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared)
    return figure, list(panels.flat)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as PNG and SVG, the same bytes for the same figure."""
    figure.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None})
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    (folder / f"{name}.svg").write_text(_with_plain_ids(drawn.getvalue()), encoding="utf-8")


def _with_plain_ids(svg: str) -> str:
    """Return a drawing with its hashed ids numbered in their order: they hash the last digits of the layout too."""
    numbers: dict[str, str] = {}
    return _HASHED_ID.sub(lambda found: numbers.setdefault(found[0], f"id{len(numbers) + 1}"), svg)
