"""Published evaluations from stored judgements: figures as their leaderboards compute them, and who is better.

Knows how each figure is made of verdicts and scores; asks no model and ships no benchmark's questions.
"""

from tsodata.evals.alpaca_eval import ControlFiles, alpaca_eval
from tsodata.evals.arena_hard import arena_hard
from tsodata.evals.comparing import compare
from tsodata.evals.items import Evaluation, Which, one_label
from tsodata.evals.pointwise import align_bench, mt_bench, self_bench

__all__ = [
    "ControlFiles",
    "Evaluation",
    "Which",
    "align_bench",
    "alpaca_eval",
    "arena_hard",
    "compare",
    "mt_bench",
    "one_label",
    "self_bench",
]
