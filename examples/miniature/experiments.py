"""The experiments on one seed's store, each a unit that leaves its figures behind. A method is a recipe and a loss.

Units stand in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from miniature import steps
from miniature.cells import BASE, LARGEST, SIZES, folder_of, label
from miniature.correcting import JUDGE
from miniature.ruling import JUDGE as RULE
from miniature.steps import Place
from tsotrain.metrics import read_log

PARTS = ("part-1", "part-2", "part-3")
LEARNING_RATE = 2e-4
HOT = 5e-4  # a rate at which DPO breaks
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "batch_pairs": "16",
        "epochs": "2",
        "precision": "fp32",
        "checkpoint_steps": "1000000",
        "max_norm_growth": "1e6",  # a policy this small starts from tiny gradients
    }
)
TUNING: Mapping[str, str] = MappingProxyType(
    {name: value for name, value in SETTINGS.items() if name != "batch_pairs"}
    | {"batch_records": "16", "optimizer.learning_rate": str(LEARNING_RATE)}
)
BETAS = (0.1, 0.3, 1.0)
LOSSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "dpo": {"loss.name": "dpo"},
        "separate": {"loss.name": "dual_clip", "loss.form": "separate"},
        "joint": {"loss.name": "dual_clip", "loss.form": "joint"},
        "linear": {"loss.name": "dual_clip", "loss.form": "linear"},
        "ipo": {"loss.name": "ipo"},
        "cdpo": {"loss.name": "cdpo"},
    }
)
READINGS = ("dpo", "separate", "joint", "linear")
_CURVES = ("step", "chosen_reward", "rejected_reward", "margin", "accuracy", "gradient_scale", "rejected_clipped")
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trials:
    """What a unit works with: the seed's place and the folder of the matrix' models."""

    place: Place
    models: Path
    n_samples: int
    rest_from: float
    learning_rate: float = LEARNING_RATE

    @property
    def base(self) -> Path:
        """Return the folder of the base."""
        return folder_of(self.models, BASE)

    def train(
        self, name: str, build: str, loss: str, *, policy: Path | None = None, minibatch: int = 1, beta: float = 0.1
    ) -> tuple[Path, Figures]:
        """Train a stage, and return the policy and the stage's figures."""
        out = self.place.folder / "stages" / name
        rate = {"optimizer.learning_rate": str(self.learning_rate)}
        settings = {**SETTINGS, **LOSSES[loss], **rate, "loss.beta": str(beta)}
        report = steps.train(
            self.place, build, policy=policy or self.base, settings=settings, out=out, minibatch=minibatch
        )
        lines = [[round(float(line[key]), 4) for key in _CURVES] for line in read_log(out / "metrics.jsonl")]
        return Path(report.policy), {"n_pairs": report.n_examples, "curves": lines}

    def trial(self, name: str, build: str, loss: str, *, policy: Path | None = None, minibatch: int = 1) -> Figures:
        """Train a stage and let its policy sit the exam; return the figures of both."""
        trained, figures = self.train(name, build, loss, policy=policy, minibatch=minibatch)
        return {**figures, **steps.examine(self.place, name, trained), "policy": str(trained)}

    def draw(self, name: str, recipe: Mapping[str, Any]) -> Figures:
        """Draw a build around the base, and return its sizes and the realised shares."""
        build = steps.draw(self.place, name, recipe, base=BASE)
        shares = [[share.pool, share.side, share.source, share.realised] for share in build.shares]
        return {"n_pairs": build.n_pairs, "n_answers": build.n_responses, "shares": shares}


def tso(*datasets: str, judge: str = JUDGE, policy: str | None = None, minibatches: int = 1) -> dict[str, Any]:
    """Return TSO's recipe (Secs. 3.2, 4.1.2): half from the matrix by weight, half the base's best over its worst."""
    matrix = {"share": 0.5, "draw": "weighted", "chosen": {"human": 0.5, "newest-larger": 0.5}, "rejected": "uniform"}
    own = {"share": 0.5, "draw": "max_min", **_given_by(policy)}
    return _recipe({"matrix": matrix, "self": own}, datasets or PARTS, judge=judge, minibatches=minibatches)


def own(draw: str, *datasets: str, judge: str, policy: str | None = None, **settings: object) -> dict[str, Any]:
    """Return a recipe over the base's own scored answers."""
    return _recipe({"self": {"draw": draw, **_given_by(policy), **settings}}, datasets or PARTS, judge=judge)


def _given_by(policy: str | None) -> dict[str, Any]:
    """Return whose answers a pool draws from: the base's, where wanted those of one policy."""
    return {"candidates": ["base"]} | ({"policy": policy} if policy else {})


def between(chosen: Mapping[str, float], rejected: str) -> dict[str, Any]:
    """Return a recipe of one source as the only negative, on two of the three parts."""
    pool = {"draw": "weighted", "chosen": dict(chosen), "rejected": {rejected: 1.0}}
    return _recipe({"matrix": pool}, PARTS[:2], judge=RULE)


def _recipe(pools: Mapping[str, Any], datasets: tuple[str, ...], *, judge: str, minibatches: int = 1) -> dict[str, Any]:
    scores = {"judge": judge, "rubric": "miniature/1", "people_first": False}
    return {"pools": dict(pools), "filters": {"datasets": list(datasets)}, "scores": scores, "minibatches": minibatches}


def one_pass(trials: Trials) -> Figures:
    """Table 2's baselines and Table 6: all pairs in one pass against one fixed reference, loss by loss."""
    drawn = trials.draw("all", tso())
    return {"build": drawn, **{loss: trials.trial(loss, "all", loss) for loss in LOSSES}}


def hot(trials: Trials) -> Figures:
    """Table 6 and Fig. 3 at a learning rate that is too high for DPO: which reading of dual clip holds?"""
    at = replace(trials, learning_rate=HOT)
    return {loss: at.trial(f"hot-{loss}", "all", loss) for loss in READINGS}


def own_answers(trials: Trials) -> Figures:
    """RSO (Table 2), and RAFT and ReST: the base's own answers, by the judge's scores."""
    found: Figures = {"build": trials.draw("rso", own("rso", judge=JUDGE, beta=0.5))}
    found["rso"] = trials.trial("rso", "rso", "dpo")
    for name, recipe in (
        ("raft", own("best_of_n", judge=JUDGE)),
        ("rest", own("threshold", judge=JUDGE, min_score=trials.rest_from)),
    ):
        drawn = trials.draw(name, recipe)
        records = steps.export_answers(trials.place, name)
        policy = steps.tune(trials.place, records, kind="policy", policy=trials.base, settings=TUNING, name=name)
        found[name] = {**drawn, **steps.examine(trials.place, name, policy)}
    return found


def staged(trials: Trials) -> Figures:
    """TSO-1 to TSO-3: three stages, the base's answers given and judged anew before each but the first."""
    return _loop(trials, "tso", "separate", draw=lambda part, policy: tso(part, policy=policy), judge=JUDGE)


def self_reward(trials: Trials) -> Figures:
    """Self-Reward with an outside judge (Table 5): best against worst of the policy's own, three stages of DPO."""
    return _loop(
        trials,
        "self",
        "dpo",
        draw=lambda part, policy: own("max_min", part, judge=RULE, policy=policy),
        judge=RULE,
    )


def right_judge(trials: Trials) -> Figures:
    """TSO with the rule as the judge of its own answers: added after the run, to tell what its own judge does to it."""
    return _loop(
        trials, "ruled", "separate", draw=lambda part, policy: tso(part, judge=RULE, policy=policy), judge=RULE
    )


def _loop(
    trials: Trials, name: str, loss: str, *, draw: Callable[[str, str | None], dict[str, Any]], judge: str
) -> Figures:
    found: Figures = {}
    policy, given_by = trials.base, None
    for stage, part in enumerate(PARTS, 1):
        called = f"{name}-{stage}"
        if stage > 1:
            steps.fill(trials.place, BASE, policy, dataset=part, n_samples=trials.n_samples)
            if judge == RULE:
                steps.judge_by_rule(trials.place, [BASE], dataset=part)
            else:
                tuned = trials.place.folder / "tuned" / judge / "policy"
                steps.judge_by_model(trials.place, judge, tuned, cells=[BASE], dataset=part)
        trials.draw(called, draw(part, given_by))
        found[called] = trials.trial(called, called, loss, policy=policy)
        policy, given_by = Path(found[called]["policy"]), f"{called}/1"
    return found


def minibatches(trials: Trials) -> Figures:
    """Table 7 and Fig. 6: the same pairs in three minibatches, each stage's reference the policy before it."""
    found: Figures = {"build": trials.draw("thirds", tso(minibatches=3))}
    for loss in ("dpo", "separate"):
        policy = trials.base
        for stage in (1, 2, 3):
            name = f"thirds-{loss}-{stage}"
            found[name] = trials.trial(name, "thirds", loss, policy=policy, minibatch=stage)
            policy = Path(found[name]["policy"])
    return found


def betas(trials: Trials) -> Figures:
    """Fig. 4: final rewards over beta, on the first of the three minibatches."""
    found: Figures = {}
    for beta in BETAS:
        for loss in READINGS:
            name = f"beta-{beta}-{loss}"
            _, figures = trials.train(name, "thirds", loss, beta=beta)
            lines = figures["curves"]
            last = lines[len(lines) // 2 :]  # the second of two epochs
            means = {key: sum(line[place] for line in last) / len(last) for place, key in enumerate(_CURVES)}
            found[name] = {key: round(means[key], 4) for key in _CURVES[1:]}
    return found


def negatives(trials: Trials) -> Figures:
    """Table 3: one cell as the only negative, the base and what is above it among them."""
    cells = [label(version, size.name) for size in SIZES for version in ("v1", "v2", "v3")]
    found: Figures = {}
    for cell in cells:
        if cell != LARGEST:  # it is chosen
            name = f"against-{cell.replace('/', '-')}"
            found[cell] = {"build": trials.draw(name, between({"human": 0.5, "newest-larger": 0.5}, cell))}
            found[cell] |= trials.trial(name, name, "separate")
            del found[cell]["curves"]
    return found


SMALLER, OLDER = label("v3", SIZES[0].name), label("v2", SIZES[1].name)


def sources(trials: Trials) -> Figures:
    """Table 4: each positive source against each negative one; both positives together stand in Table 3."""
    found: Figures = {}
    for chosen in ("human", LARGEST):
        for rejected in (SMALLER, OLDER, BASE):
            name = f"chosen-{chosen}-{rejected}".replace("/", "-")
            trials.draw(name, between({chosen: 1.0}, rejected))
            found[f"{chosen} > {rejected}"] = trials.trial(name, name, "separate")
            del found[f"{chosen} > {rejected}"]["curves"]
    return found


UNITS: Mapping[str, Callable[[Trials], Figures]] = MappingProxyType(
    {
        "one-pass": one_pass,
        "hot": hot,
        "own-answers": own_answers,
        "minibatches": minibatches,
        "negatives": negatives,
        "sources": sources,
        "betas": betas,
        "staged": staged,  # from here on the base's cell holds what other policies answered too
        "self-reward": self_reward,
        "right-judge": right_judge,
    }
)
