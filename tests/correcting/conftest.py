"""Stores of scored answers whose every number is stated by the test, stored in one transaction each."""

from datetime import datetime

import pytest

from tsodata.provenance import Run
from tsodata.records import Correction, Judgement, Prompt, Response, Rubric, Score, Source

MADE_AT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  the store keeps UTC without a zone


def answer_to(prompt, size):
    """Return the one answer of a cell to a prompt."""
    return Response(Prompt.of_user(prompt).prompt_key, source_of(size).source_key, f"{prompt} by {size}")


def source_of(size):
    return Source.model("m", "1", float(size))


@pytest.fixture
def scored(store):
    """Store answers with their judges' scores: {(prompt, size): {judge: number or samples}}."""

    def fill(scores, *, dimension="logic", raw=None, rubric="paper", scale_min=2, scale_max=10, template=None):
        by = Rubric(rubric, scale_min=scale_min, scale_max=scale_max, template=template)
        records = {kind: [] for kind in (Source, Prompt, Response, Rubric, Judgement, Score)}
        records[Rubric].append(by)
        for (prompt, size), judges in scores.items():
            answer = answer_to(prompt, size)
            records[Source].append(source_of(size))
            records[Prompt].append(Prompt.of_user(prompt))
            records[Response].append(answer)
            for judge, values in judges.items():
                for k, value in enumerate(values if isinstance(values, list) else [values]):
                    said = judgement(answer, by, judge=judge, sample_index=k, raw=raw and raw.format(value))
                    records[Judgement] += [said] if raw else []
                    key = said.judgement_key if raw else None
                    records[Score].append(
                        score(answer, by, judge=judge, key=key, k=k, dimension=dimension, value=value)
                    )
        append(store, records)

    return fill


def judgement(answer, rubric, *, judge, **more):
    keys = {"prompt_key": answer.prompt_key, "response_key": answer.response_key, "other_key": None}
    return Judgement(**keys, judge=judge, judge_kind="model", rubric_key=rubric.rubric_key, **more)


def score(answer, rubric, *, judge, key, k, dimension, value):
    return Score(
        judgement_key=key,
        prompt_key=answer.prompt_key,
        source_key=answer.source_key,
        response_key=answer.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=rubric.rubric_key,
        dimension=dimension,
        sample_index=k,
        value=float(value),
    )


@pytest.fixture
def corrected(store):
    """Store people's corrections: {(prompt, size): score}, by an author."""

    def fill(scores, *, author="ann", kind="human", reason=None, dimension="logic", made_at=MADE_AT, **rubric):
        by = Rubric("paper", **{"scale_min": 2, "scale_max": 10, **rubric})
        made = [
            Correction(
                prompt_key=answer_to(*place).prompt_key,
                response_key=answer_to(*place).response_key,
                rubric_key=by.rubric_key,
                dimension=dimension,
                value=float(value),
                author=author,
                author_kind=kind,
                reason=reason,
                made_at=made_at,
            )
            for place, value in scores.items()
        ]
        append(store, {Rubric: [by], Correction: made})

    return fill


def append(store, records):
    with store.transaction(Run("test")) as transaction:
        transaction.append({kind: rows for kind, rows in records.items() if rows})
