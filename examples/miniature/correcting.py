"""Evaluation correction (Sec. 3.2): the base as a judge before and after it is tuned on the rule's scores.

The rule stands in as the stronger judge. What the judges are measured on are answers to the exam, whose prompts are in
no lesson.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from miniature import steps
from miniature.cells import BASE, BASE_SIZE, LARGEST, label
from miniature.grading import mean_grade
from miniature.ruling import JUDGE as RULE
from miniature.steps import EXAM, Place
from tsodata.correcting.agreement import AgreementQuestion
from tsodata.correcting.comparing import compare_judges
from tsodata.correcting.judge_sft import Lesson
from tsodata.correcting.standing_in import correct_by_judge
from tsodata.correcting.teaching import export_judge_sft
from tsodata.plots import draw_plots
from tsodata.stats import Question, compute_stats

BEFORE, JUDGE = "careless", "corrected"
PER_BIN = 800  # lessons of each fifth of the scale
HELD_OUT = 0.02  # of the prompts: all that is looked at is the exam
MEASURED = (label("v1", BASE_SIZE), BASE, LARGEST)  # whose exams tell how good a judge is
TUNING: Mapping[str, str] = MappingProxyType(
    {"optimizer.learning_rate": "1e-3", "epochs": "4", "batch_records": "32", "precision": "fp32"}
    | {"checkpoint_steps": "1000000", "max_norm_growth": "1e6"}
)


def correct(place: Place, base: Path, *, parts: Sequence[str]) -> dict[str, Any]:
    """Tune the base as a judge on the rule's scores, have it score the base's answers, and return what moved."""
    steps.judge_by_model(place, BEFORE, base, cells=MEASURED, dataset=EXAM)
    lessons = place.folder / "lessons"
    if not lessons.exists():  # later the store holds scores of the exam, which are not to be lessons
        with place.run(step="correct") as run:
            correct_by_judge(place.store, RULE, run=run)
        export_judge_sft(
            place.store, Lesson(judge=BEFORE, per_bin=PER_BIN, held_out=HELD_OUT, seed=place.seed), out=lessons
        )
    manifest = json.loads((lessons / "manifest.json").read_text(encoding="utf-8"))
    tuned = steps.tune(place, lessons, kind="judge", policy=base, settings=TUNING, name=JUDGE)
    steps.judge_by_model(place, JUDGE, tuned, cells=MEASURED, dataset=EXAM)
    steps.judge_by_rule(place, MEASURED, dataset=EXAM)
    for part in parts:
        steps.judge_by_model(place, JUDGE, tuned, cells=[BASE], dataset=part)
    return {"lessons": manifest["rows"], "refused": manifest["refused"], **_moved(place), "examples": _examples(place)}


def _moved(place: Place) -> dict[str, Any]:
    """Return the report of App. D.2, as figures without their SQL."""
    found: dict[str, Any] = {}
    for by in ((), ("dimension",)):
        question = AgreementQuestion((BEFORE, JUDGE), against=RULE, by=by, seed=place.seed)
        found[" by ".join(("agreement", *by))] = [
            [
                figure.section,
                figure.name,
                dict(figure.subject),
                None if figure.value is None else round(figure.value, 4),
                figure.n,
            ]
            for figure in compare_judges(place.store, question).figures
        ]
    rows = place.store.sql(_READ, {"judges": [BEFORE, JUDGE]}).rows()
    return {**found, "read": [[*row] for row in rows]}


_READ = """
select judge, coalesce(reason, 'ok') as outcome, count(*) as n
from v_scores
where list_contains($judges::varchar[], judge)
group by all
order by all
"""

_EXAMPLES = """
select
    prompts.text,
    responses.text,
    scores.dimension,
    max(scores.value) filter (scores.judge = $before),
    max(scores.value) filter (scores.judge = $after),
    max(scores.value) filter (scores.judge = 'rule'),
    max(judgements.raw) filter (scores.judge = $before),
    max(judgements.raw) filter (scores.judge = $after),
from v_scores as scores
join judgements on tso_id('jud', judgements.judgement_key) = scores.judgement_id
join v_responses as responses using (response_id)
join v_prompts as prompts on prompts.prompt_id = scores.prompt_id
where prompts.dataset = 'exam' and responses.source = $cell
group by prompts.text, responses.text, scores.dimension
having count(distinct scores.judge) = 3
order by md5(prompts.text), scores.dimension
limit 8
"""


def _examples(place: Place) -> list[list[object]]:
    """Return two answers with all scores, drawn by the hash of their prompts: as Tables 10 and 11 show two."""
    return [[*row] for row in place.store.sql(_EXAMPLES, {"before": BEFORE, "after": JUDGE, "cell": BASE}).rows()]


def shapes(place: Place) -> dict[str, Any]:
    """Draw Fig. 5, the map of skewness and kurtosis of the rule's scores, and return its figures."""
    question = Question(sections=("shape",), judge=RULE, base=BASE, seed=place.seed)
    report = compute_stats(place.store, question)
    draw_plots(place.store, report, place.folder / "plots", question=question)
    return {RULE: [[figure.name, figure.value, figure.n] for figure in report.figures]}


def pairs(place: Place, builds: Sequence[str]) -> dict[str, Any]:
    """Return the rule's mean grades of the base's own answers on both sides of builds, whoever had judged them."""
    found: dict[str, Any] = {}
    for build in builds:
        rows = place.store.sql(_PAIRS, {"build": build}).rows()
        grades = [[mean_grade(prompt, answer) for answer in sides] for prompt, *sides in rows]
        means = [sum(column) / len(column) for column in zip(*grades, strict=True)]
        found[build] = dict(zip(("chosen", "rejected"), means, strict=True))
    return found


_PAIRS = """
select
    prompts.text,
    chosen.text,
    rejected.text,
from v_pairs as pairs
join v_prompts as prompts using (prompt_id)
join v_responses as chosen on chosen.response_id = pairs.chosen_response_id
join v_responses as rejected on rejected.response_id = pairs.rejected_response_id
where pairs.build = $build and pairs.pool = 'self'
order by pairs.pair_id
"""
