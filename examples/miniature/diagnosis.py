"""Looks behind the results, to explain them: what the judge put on which side, and in whose style policies answer."""

from __future__ import annotations

from typing import Any

from miniature.cells import BASE
from miniature.experiments import SMALLER
from miniature.grading import is_right, mean_grade
from miniature.problems import ENDINGS, TERSE
from miniature.steps import EXAM, Place

STAGES = ("tso-1", "tso-2", "tso-3")
STYLED = {
    "base": BASE,
    **{name: f"{EXAM}/{name}/1" for name in ("tso-1", "tso-2", "tso-3", "ruled-3", "dpo", "ipo")},
    "people over 40K v3": f"{EXAM}/{f'chosen-human-{SMALLER}'.replace('/', '-')}/1",
}


def look(place: Place) -> dict[str, Any]:
    """Return both looks."""
    return {"pairs": _pairs(place), "styles": _styles(place)}


def _pairs(place: Place) -> dict[str, Any]:
    """Return the rule's mean grades of the base's own answers on both sides of TSO's builds, whoever judged them."""
    found: dict[str, Any] = {}
    for build in STAGES:
        rows = place.store.sql(_PAIRS, {"build": build}).rows()
        grades = [[mean_grade(prompt, answer) for answer in sides] for prompt, *sides in rows]
        means = [sum(column) / len(column) for column in zip(*grades, strict=True)]
        found[build] = dict(zip(("chosen", "rejected"), means, strict=True))
    return found


def _styles(place: Place) -> dict[str, Any]:
    """Return by policy: the share of exam answers in people's style, and the share right of these and of the others."""
    found: dict[str, Any] = {}
    for name, cell in STYLED.items():
        right: dict[bool, list[bool]] = {False: [], True: []}
        for prompt, answer in place.store.sql(_ANSWERS, {"cell": cell}).rows():
            right[is_peoples(answer)].append(is_right(prompt, answer))
        counts = {key: [sum(some), len(some)] for key, some in right.items()}
        found[name] = {"own": counts[False], "peoples": counts[True]}
    return found


def is_peoples(answer: str) -> bool:
    """Say whether an answer is worded as only people word theirs: with commas, semicolons or another ending."""
    words = answer.split()
    return any(mark in answer for mark in ",;") or any(ending in words for ending in ENDINGS if ending != TERSE.ending)


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

_ANSWERS = """
select
    prompts.text,
    responses.text,
from v_responses as responses
join v_prompts as prompts using (prompt_id)
where responses.source = $cell and prompts.dataset = 'exam'
order by prompts.text
"""
