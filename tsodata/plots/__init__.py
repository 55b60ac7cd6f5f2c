"""Statistics as pictures, PNG and SVG. Needs the extra `plots` (matplotlib)."""

from tsodata.plots.drawing import draw_plots

__all__ = ["draw_plots"]
