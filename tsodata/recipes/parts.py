"""What a recipe consists of: pools, filters, the choice of scores, and strata. Each refuses what cannot be meant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tsodata.errors import RecipeError

Weights = Mapping[str, float] | Literal["uniform", "stated"]
PAIR_DRAWS = ("weighted", "max_min", "max_random", "max_second", "rso", "preferred")
ANSWER_DRAWS = ("best_of_n", "threshold")
LIST_DRAWS = ("ranked",)
BY_POLICY = (*PAIR_DRAWS[:-1], *ANSWER_DRAWS, *LIST_DRAWS)  # verdicts say for themselves what they compare
STRATA = ("tag", "dataset", "quadrant")
QUADRANTS = ("left-flat", "left-peaked", "right-flat", "right-peaked")  # App. A.1: sign of G1, then of G2
NO_STRATUM = "(none)"
PAPER_CHOSEN: Mapping[str, float] = {"human": 0.5, "newest-larger": 0.5}  # Sec. 4.1.2
BETA = 0.5  # ours, in units of the score: one point below the best is accepted 14 times in 100
LATER = {"told": "where it is not the default"}  # added to bodies that were hashed without it, so their keys stay


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise RecipeError where a setting is none of the values it may have."""
    if value not in known:
        raise RecipeError(f"{name} = {value!r}: known are {', '.join(known)}")


def _check_weights(side: str, weights: Weights) -> None:
    if isinstance(weights, str):
        one_of(side, weights, ("uniform", "stated"))
        return
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise RecipeError(f"{side}: weight {name} = {weight!r} is not a number from 0 on")
    if not sum(weights.values()) > 0:
        raise RecipeError(f"{side}: the weights add up to nothing")


@dataclass(frozen=True, slots=True)
class Pool:
    """One way to draw, and the share of the build that it gives."""

    share: float = 1.0
    draw: str = "weighted"
    chosen: Weights = field(default_factory=lambda: dict(PAPER_CHOSEN))
    rejected: Weights = "uniform"  # Sec. 4.1.2; "stated": to be told at the time, as single_negative's is
    candidates: tuple[str, ...] = ("base",)  # all draws but weighted: who competes
    ties: str = "draw"  # several answers of one score where one is needed: draw it, or skip the prompt
    beta: float = field(default=BETA, metadata=LATER)  # rso: the temperature
    keep: int = field(default=1, metadata=LATER)  # best_of_n: how many of a prompt's best answers
    min_score: float | None = field(default=None, metadata=LATER)  # threshold, best_of_n: the least score that counts
    min_preference: float | None = field(default=None, metadata=LATER)  # preferred: how much the chosen is, at least
    policy: str | None = field(default=None, metadata=LATER)  # of the base's answers, those that it gave

    def __post_init__(self) -> None:
        one_of("draw", self.draw, (*PAIR_DRAWS, *ANSWER_DRAWS, *LIST_DRAWS))
        one_of("ties", self.ties, ("draw", "skip"))
        if not 0 < self.share <= 1:
            raise RecipeError(f"share = {self.share}: a share lies above 0 and up to 1")
        if not self.by_weight and not self.candidates:
            raise RecipeError("candidates = []: somebody has to compete")
        if not 0 < self.beta < math.inf:
            raise RecipeError(f"beta = {self.beta}: a temperature lies above 0")
        if self.keep < 1:
            raise RecipeError(f"keep = {self.keep}: at least 1")
        for name, default, draws in (
            ("beta", BETA, ("rso",)),
            ("keep", 1, ("best_of_n",)),
            ("min_score", None, ANSWER_DRAWS),
            ("min_preference", None, ("preferred",)),
            ("policy", None, BY_POLICY),
        ):
            if getattr(self, name) != default and self.draw not in draws:
                raise RecipeError(f"{name} belongs to draw = {' or '.join(draws)}, not to {self.draw}")
        if self.min_preference is not None and not 0.5 <= self.min_preference <= 1:
            raise RecipeError(f"min_preference = {self.min_preference}: from 0.5, undecided, to 1")
        _check_weights("chosen", self.chosen)
        _check_weights("rejected", self.rejected)

    @property
    def by_weight(self) -> bool:
        """Return whether the weights of sources decide."""
        return self.draw == "weighted"

    @property
    def by_verdict(self) -> bool:
        """Return whether stored preferences decide."""
        return self.draw == "preferred"

    @property
    def by_score(self) -> bool:
        """Return whether the scores of answers decide."""
        return not self.by_weight and not self.by_verdict

    @property
    def makes(self) -> str:
        """Return what the draw makes: pairs, answers (to tune on) or lists (ranked)."""
        if self.draw in PAIR_DRAWS:
            return "pairs"
        return "answers" if self.draw in ANSWER_DRAWS else "lists"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which prompts and which drawn pairs count. None and empty mean no limit."""

    min_margin: float | None = None
    min_chosen_score: float | None = None
    max_rejected_score: float | None = None
    max_length_ratio: float | None = None  # longer answer over shorter, in characters
    datasets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    answered_by: tuple[str, ...] = ()  # roles or labels: each must have answered the prompt
    build: str | None = field(default=None, metadata=LATER)  # only the prompts of a minibatch of this build
    minibatch: int | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        if (self.build is None) != (self.minibatch is None):
            raise RecipeError('filters: build and minibatch go together, as build = "NAME", minibatch = 2')

    @property
    def needs_scores(self) -> bool:
        """Return whether a pair without scores on both sides is to be skipped."""
        return any(v is not None for v in (self.min_margin, self.min_chosen_score, self.max_rejected_score))

    @property
    def of_pairs(self) -> tuple[str, ...]:
        """Return the names of the limits that are set and that only a pair can meet."""
        limits = ("min_margin", "min_chosen_score", "max_rejected_score", "max_length_ratio")
        return tuple(name for name in limits if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class ScoreChoice:
    """Which scores count. Left out, judge and rubric are the store's only ones, else they must be stated."""

    judge: str | None = None
    rubric: str | None = None
    dimensions: tuple[str, ...] = ()  # empty: the mean over all that are scored
    people_first: bool = True  # a correction stands in for the judge's score (Sec. 3.2)
    calibrated: bool = field(default=False, metadata=LATER)  # through the maps of tso-data calibrate


@dataclass(frozen=True, slots=True)
class VerdictChoice:
    """Whose preferences count where they decide. Left out, those of every judge by every rubric, each as much."""

    judge: str | None = None
    rubric: str | None = None
    people_first: bool = True  # of two answers that people have compared, only people's count


@dataclass(frozen=True, slots=True)
class Strata:
    """Groups of prompts, each of which gives a share of the build. A prompt stands in one of them.

    tag, dataset  the first by name of the prompt's that has a share, or of all where the shares are equal
    quadrant      signs of skewness G1 and excess kurtosis G2 of the prompt's scores (App. A.1); 0 counts as plus
    A prompt without a tag, or with too few or only equal scores, stands in the stratum "(none)".
    """

    by: str
    shares: Mapping[str, float] | Literal["equal"] = "equal"

    def __post_init__(self) -> None:
        one_of("strata by", self.by, STRATA)
        if isinstance(self.shares, str):
            one_of("strata shares", self.shares, ("equal",))
            return
        _check_weights("strata shares", self.shares)
        if not math.isclose(sum(self.shares.values()), 1, abs_tol=1e-9) or not all(self.shares.values()):
            raise RecipeError("strata shares: each lies above 0, and together they are 1")
        for name in self.shares if self.by == "quadrant" else ():
            one_of("quadrant", name, (*QUADRANTS, NO_STRATUM))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the strata that have a share of their own; none where all share equally."""
        return () if isinstance(self.shares, str) else tuple(sorted(self.shares))
