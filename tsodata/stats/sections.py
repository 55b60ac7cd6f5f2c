"""Which figures each section shows, over which listing, with which threshold from where.

Data only: what is measured and how is in measuring.py, what the columns mean in sql/stats.
"""

from __future__ import annotations

from tsodata.stats.figures import Threshold
from tsodata.stats.measuring import Measure

SECTIONS = ("cells", "shape", "margins", "quality", "length", "similarity", "judges", "wins", "duplicates")
ON_BUILDS = ("margins", "quality", "length", "similarity")
N_SIMILARITY = 5000
PAPER = "arXiv 2409.02118"
APPENDIX = f"{PAPER}, App. A.1"
_SOURCE = ("source",)
_VERDICTS = ("source", "judge", "rubric", "dimension")
_JUDGES = ("judge", "rubric")
_TWO_JUDGES = ("judge", "rubric", "other_judge", "other_rubric")


def _house(reason: str, *, low: float | None = None, high: float | None = None) -> Threshold:
    return Threshold(f"house rule: {reason}", low, high)


CELLS = (
    Measure("prompts", "answers", "n_chars", "prompts", _SOURCE, "prompts"),
    Measure("answers", "answers", "n_chars", "count", _SOURCE, "answers"),
    Measure(
        "empty", "answers", "is_empty", "share", _SOURCE, "share",
        _house("an empty answer can never be drawn", high=0.01),
    ),
    Measure(
        "cut", "answers", "is_cut", "share", _SOURCE, "share",
        _house("a cut answer teaches to stop anywhere", high=0.05),
    ),
    Measure(
        "repeated", "repeated_samples", "is_repeated", "share", _SOURCE, "share",
        _house("samples from one engine seed are no samples (vllm #11953)", high=0.05),
    ),
    Measure("mean length", "answers", "n_chars", "mean", _SOURCE, "characters"),
    Measure("median length", "answers", "n_chars", "median", _SOURCE, "characters"),
    Measure("judged", "judged_answers", "is_judged", "share", _SOURCE, "share"),
    Measure("finish reason", "answers", "n_chars", "count", ("source", "finish_reason"), "answers"),
    Measure(
        "unparsed", "verdicts", "is_unparsed", "share", _VERDICTS, "share",
        _house("a score that is not read is missing, not low", high=0.02),
    ),
    Measure("mean score", "verdicts", "score", "mean", _VERDICTS, "score"),
)  # fmt: skip

NEAR = Measure("mean near the origin", "shape", "mean_near_origin", "mean", (), "score")
OFF = Measure("mean off the origin", "shape", "mean_off_origin", "mean", (), "score")
SHAPE = (
    Measure("prompts", "shape", "n_scores", "count", (), "prompts"),
    Measure("scores per prompt", "shape", "n_scores", "mean", (), "scores"),
    Measure("mean", "shape", "mean", "mean", (), "score"),
    Measure("sd", "shape", "sd", "mean", (), "score"),
    Measure("fewer than 4 scores", "shape", "has_too_few", "share", (), "share"),
    Measure("all scores equal", "shape", "is_constant", "share", (), "share"),
    Measure("median G1", "shape", "g1", "median", (), "skewness"),
    Measure("median G2", "shape", "g2", "median", (), "excess kurtosis"),
    Measure(
        "G1 below 0", "shape", "has_negative_g1", "share", (), "share",
        Threshold(APPENDIX, low=0.5, within="as in the paper", without="unlike the paper"),
    ),
    Measure(
        "G2 below 0", "shape", "has_negative_g2", "share", (), "share",
        Threshold(APPENDIX, low=0.5, within="as in the paper", without="unlike the paper"),
    ),
    Measure("G1 < 0, G2 < 0", "shape", "in_quadrant_g1_neg_g2_neg", "share", (), "share"),
    Measure("G1 < 0, G2 ≥ 0", "shape", "in_quadrant_g1_neg_g2_pos", "share", (), "share"),
    Measure("G1 ≥ 0, G2 < 0", "shape", "in_quadrant_g1_pos_g2_neg", "share", (), "share"),
    Measure("G1 ≥ 0, G2 ≥ 0", "shape", "in_quadrant_g1_pos_g2_pos", "share", (), "share"),
)  # fmt: skip

MARGINS = (
    Measure("pairs", "pair_scores", "is_unscored", "count", (), "pairs"),
    Measure("without scores", "pair_scores", "is_unscored", "portion", (), "share"),
    Measure("margin", "pair_scores", "margin", "mean", (), "score"),
    Measure("median margin", "pair_scores", "margin", "median", (), "score"),
    Measure(
        "negative margin", "pair_scores", "is_negative", "share", (), "share",
        _house("a chosen answer that scores lower teaches the reverse", high=0.05),
    ),
    Measure("median margin in noise sds", "pair_scores", "margin_in_noise", "median", (), "sd"),
    Measure(
        "under 1 noise sd", "pair_scores", "is_under_1_noise", "share", (), "share",
        _house("such a pair may be the judge's chance", high=0.2),
    ),
    Measure("under 2 noise sds", "pair_scores", "is_under_2_noise", "share", (), "share"),
    Measure(
        "position of the rejected", "pair_scores", "rejected_position", "mean", (), "sd",
        Threshold("arXiv 2502.16825: two sds below the mean; half an sd to each side is a house rule", -2.5, -1.5),
    ),
)  # fmt: skip

QUALITY = (
    Measure("mean of the chosen", "pair_scores", "chosen_score", "mean", (), "score"),
    Measure("lowest tenth of the chosen", "pair_scores", "chosen_score", "q10", (), "score"),
    Measure("median of the chosen", "pair_scores", "chosen_score", "median", (), "score"),
    Measure("highest tenth of the chosen", "pair_scores", "chosen_score", "q90", (), "score"),
    Measure("mean of the rejected", "pair_scores", "rejected_score", "mean", (), "score"),
    Measure("lowest tenth of the rejected", "pair_scores", "rejected_score", "q10", (), "score"),
    Measure("median of the rejected", "pair_scores", "rejected_score", "median", (), "score"),
    Measure("highest tenth of the rejected", "pair_scores", "rejected_score", "q90", (), "score"),
    Measure(
        "chosen on the scale", "pair_scores", "chosen_on_scale", "mean", (), "0 to 1",
        _house("it counts most (arXiv 2508.18312, 2504.03612), the limit is ours", low=0.7),
    ),
    Measure("rejected on the scale", "pair_scores", "rejected_on_scale", "mean", (), "0 to 1"),
)  # fmt: skip

LENGTH = (
    Measure("chosen minus rejected", "pair_lengths", "difference", "mean", (), "characters"),
    Measure("median difference", "pair_lengths", "difference", "median", (), "characters"),
    Measure("log ratio", "pair_lengths", "log_ratio", "mean", (), "nats"),
    Measure(
        "longer is chosen", "pair_lengths", "is_longer_chosen", "share", (), "share",
        _house("length alone must not tell the sides apart (after arXiv 2403.19159)", low=0.4, high=0.6),
    ),
)  # fmt: skip

SIMILARITY = (
    Measure("similarity", "pair_similarity", "similarity", "mean", (), "Jaccard"),
    Measure("median similarity", "pair_similarity", "similarity", "median", (), "Jaccard"),
    Measure("highest tenth of similarity", "pair_similarity", "similarity", "q90", (), "Jaccard"),
    Measure(
        "near-identical", "pair_similarity", "is_near_identical", "share", (), "share",
        _house("from 0.8 on; such pairs push both sides down (arXiv 2410.08847, 2402.13228)", high=0.05),
    ),
)  # fmt: skip

RELIABILITY = Measure("reliability", "repeated_scores", "mean", "reliability", (*_JUDGES, "dimension"))
RELIABLE = _house("good from 0.75 on, after Koo and Li (2016)", low=0.75)
CORRELATION = Measure(
    "correlation of scores", "score_agreement", "score", "correlation", (*_TWO_JUDGES, "dimension"), "Pearson's r"
)
JUDGES = (
    Measure(
        "difference of scores", "score_agreement", "difference", "mean", (*_TWO_JUDGES, "dimension"), "0 to 1"
    ),
    Measure(
        "absolute difference", "score_agreement", "absolute_difference", "mean", (*_TWO_JUDGES, "dimension"), "0 to 1"
    ),
    Measure("same preference", "preference_agreement", "is_same", "share", _TWO_JUDGES, "share"),
    Measure(
        "shown first preferred", "positions", "first_preferred", "mean", _JUDGES, "share",
        _house("a judge's place should not count", low=0.45, high=0.55),
    ),
    Measure(
        "turned by the order", "positions", "is_turned_by_order", "share", _JUDGES, "share",
        _house("such verdicts are about places", high=0.2),
    ),
)  # fmt: skip

WINS_BY_SCORE = Measure("wins by score", "wins_by_score", "win", "mean", ("source", "against"), "share")
WINS_BY_PREFERENCE = Measure(
    "wins by preference", "wins_by_preference", "win", "mean", (*_JUDGES, "source", "against"), "share"
)
ROLES = Threshold(f"{PAPER}, Eqs. 1 and 2", high=0.5, within="as declared", without="violates")

DUPLICATES = (
    Measure("also another source's", "identical_answers", "is_shared_by_sources", "portion", _SOURCE, "share"),
    Measure(
        "also another prompt's", "identical_answers", "is_shared_by_prompts", "portion", _SOURCE, "share",
        _house("one answer to many prompts answers none", high=0.01),
    ),
    Measure(
        "duplicate prompts", "duplicate_prompts", "is_duplicate", "portion", (), "share",
        _house("they cross every split", high=0.01),
    ),
)  # fmt: skip
OVERLAPS = (
    Measure(
        "prompts in it", "listed_prompts", "in_prompt", "portion", (), "share",
        _house("what is trained on is no test", high=0.0),
    ),
    Measure(
        "prompts whose answers are in it", "listed_prompts", "in_answers", "portion", (), "share",
        _house("what is trained on is no test", high=0.0),
    ),
)  # fmt: skip
