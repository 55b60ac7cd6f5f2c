"""Keyed requests over an engine: paced, retried, within budgets, and each answer handed on to be committed once.

Knows no store: whoever runs requests says what keeps a batch of what ended.
"""

from tsodata.runner.endings import raise_ending
from tsodata.runner.limits import Limits, Prices
from tsodata.runner.running import run_requests, run_waves
from tsodata.runner.sums import Ended, Ending, Keep, Progress, Sums, Tell

__all__ = [
    "Ended",
    "Ending",
    "Keep",
    "Limits",
    "Prices",
    "Progress",
    "Sums",
    "Tell",
    "raise_ending",
    "run_requests",
    "run_waves",
]
