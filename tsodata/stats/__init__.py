"""Statistics of a store and its builds: figures with their n, interval, threshold, and the SQL behind them."""

from tsodata.stats.computing import Question, compute_stats
from tsodata.stats.figures import Figure, Report, Threshold
from tsodata.stats.intervals import Interval

__all__ = ["Figure", "Interval", "Question", "Report", "Threshold", "compute_stats"]
