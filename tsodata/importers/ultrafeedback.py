"""UltraFeedback as published: `source, instruction, completions[]`, each completion of one model with GPT-4's ratings.

A completion says `model, principle, custom_system_prompt, response, annotations{aspect: {Rating, Rationale}},
overall_score, critique`. Each aspect is a score from 1 to 5 in its own dimension; a rating of "N/A" is NULL. Its words
are the rationale, or the whole annotation as JSON where that says more. The overall score has its own rubric, 1 to 10,
and the critique as its words. The principle and its system prompt differ within a row, so they are settings of the
answer and no part of the prompt. `fine-grained_score` is the mean of the ratings and is not stored again.

The first publication turned an overall score of 1 into 10 (OpenBMB/UltraFeedback, issue 8). Its authors later set every
10 with a mean rating of at most 2 to 1. Such a 10 is NULL here with the reason `doubtful_ten`; the number that the file
holds is kept beside it under the rubric `ultrafeedback-overall-as-given`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tsodata.importers.candidates import draws
from tsodata.importers.context import Context, Row, fail, maybe_text, objects, present, skip, text
from tsodata.importers.verdicts import Judge, Reading, Said, read_number, score
from tsodata.records import Origin, Prompt, Record, Reference, Response, Rubric, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASPECTS = Rubric("ultrafeedback", scale_min=1, scale_max=5)
_OVERALL = Rubric("ultrafeedback-overall", scale_min=1, scale_max=10)
_AS_GIVEN = Rubric("ultrafeedback-overall-as-given", scale_min=1, scale_max=10)
_DOUBTFUL_MEAN = 2.0  # as the authors' correction of 2023-12-29 states it


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, each completion with its settings, and each rating with its words."""
    prompt = Prompt.of_user(text(row, "instruction"))
    if present(row, "completions") == []:
        skip("no_answer", "field 'completions' is empty")
    completions = objects(row, "completions")
    tag = maybe_text(row, "source")
    judge = Judge(context.judge or "gpt-4")
    yield prompt
    yield Origin(prompt.prompt_key, context.dataset, tags=(tag,) if tag else ())
    yield from _references(row, prompt, context)
    sources = [context.model(text(completion, "model")) for completion in completions]
    for completion, source, sample in zip(completions, sources, draws(sources), strict=True):
        settings = Settings.of({name: maybe_text(completion, name) for name in ("principle", "custom_system_prompt")})
        words = text(completion, "response", may_be_empty=True)
        answer = Response(
            prompt.prompt_key, source.source_key, words, sample_index=sample, settings_key=settings.settings_key
        )
        yield from (settings, answer)
        yield from _scores(completion, answer, judge)


def _references(row: Row, prompt: Prompt, context: Context) -> Iterator[Record]:
    listed = row.get("correct_answers") or []
    if not isinstance(listed, list) or not all(isinstance(words, str) for words in listed):
        fail("wrong_type", "field 'correct_answers' is not a list of texts")
    for words in listed:
        if words not in ("", "None"):
            yield Reference(prompt.prompt_key, context.dataset, words)


def _scores(completion: Row, answer: Response, judge: Judge) -> Iterator[Record]:
    ratings = []
    for aspect, annotation in _annotations(completion).items():
        read = read_number(annotation.get("Rating"), "Rating")
        ratings.append(read.value)
        said = _words(annotation)
        yield from score(answer, read, judge=judge, rubric=_ASPECTS, dimension=aspect, said=said)
    if "overall_score" not in completion:
        return
    read, critique = read_number(completion["overall_score"], "overall_score"), maybe_text(completion, "critique")
    said = Said(critique) if critique else None
    if read.value == 10 and _mean_rating(completion, ratings) <= _DOUBTFUL_MEAN:
        yield from score(answer, read, judge=judge, rubric=_AS_GIVEN, said=said)
        read = Reading(None, "doubtful_ten")
    yield from score(answer, read, judge=judge, rubric=_OVERALL, said=said)


def _annotations(completion: Row) -> dict[str, Row]:
    """Return the annotation of each aspect; some copies wrap it in a list of one."""
    listed = completion.get("annotations") or {}
    if not isinstance(listed, dict):
        fail("wrong_type", "field 'annotations' is not an object")
    found: dict[str, Row] = {}
    for aspect, value in listed.items():
        annotation = value[0] if isinstance(value, list) and len(value) == 1 else value
        if annotation is None:  # Parquet fills up the aspects that another completion has
            continue
        if not isinstance(annotation, dict):
            fail("wrong_type", f"the annotation {aspect!r} is not an object")
        found[aspect] = annotation
    return found


def _words(annotation: Row) -> Said | None:
    rationale = maybe_text(annotation, "Rationale")
    known = {name: value for name, value in annotation.items() if value is not None}  # filled up likewise
    if not set(known) <= {"Rating", "Rationale"}:
        return Said(json.dumps(known, ensure_ascii=False, sort_keys=True, default=str))
    return Said(rationale) if rationale else None


def _mean_rating(completion: Row, ratings: list[float | None]) -> float:
    """Return the mean rating that the file states, else that of the ratings there are, else infinity."""
    stated = read_number(completion.get("fine-grained_score"), "fine-grained_score").value
    if stated is not None:
        return stated
    known = [rating for rating in ratings if rating is not None]
    return sum(known) / len(known) if known else float("inf")
