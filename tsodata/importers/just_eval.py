"""just-eval: one answer judged in several dimensions, each from 1 to 5 with a reason.

A row says `id, input, output_cand, generator_cand, eval_config.gpt, result, parsed_result{dimension: {reason, score}}`.
Scores are texts such as "5". A dimension's reason is the judge's words on it. Where `parsed_result` is empty, the judge
said nothing that upstream could read: one score is NULL, with `result` as the words. `generator_cand` is a path in
upstream's folders; the model is its last part without `.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, identifier, maybe_text, present, text
from tsodata.importers.verdicts import Judge, Reading, Said, read_number, score
from tsodata.records import Origin, Prompt, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUBRIC = Rubric("just-eval", scale_min=1, scale_max=5)


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, the answer, and one score per dimension with its reason."""
    prompt = Prompt.of_user(text(row, "input"))
    judge = Judge(_judge_name(row, context))
    dimensions = present(row, "parsed_result") or {}
    if not isinstance(dimensions, dict):
        fail("wrong_type", "field 'parsed_result' is not an object of dimensions")
    name = text(row, "generator_cand").rpartition("/")[2].removesuffix(".json")
    if not name:
        fail("unknown_model", "field 'generator_cand' does not end with a model's name")
    source = context.model(name)
    answer = Response(prompt.prompt_key, source.source_key, text(row, "output_cand", may_be_empty=True))
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, identifier(row, "id")), answer)
    if not dimensions:
        said = Said(text(row, "result", may_be_empty=True))
        yield from score(answer, Reading(None, "not_parsed"), judge=judge, rubric=_RUBRIC, said=said)
    for dimension, verdict in dimensions.items():
        if not isinstance(verdict, dict):
            fail("wrong_type", f"the verdict on {dimension!r} is not an object")
        reason = maybe_text(verdict, "reason")
        yield from score(
            answer,
            read_number(verdict.get("score"), "score"),
            judge=judge,
            rubric=_RUBRIC,
            dimension=dimension,
            said=Said(reason) if reason else None,
        )


def _judge_name(row: Row, context: Context) -> str:
    config = row.get("eval_config")
    stated = maybe_text(config, "gpt") if isinstance(config, dict) else None
    name = context.judge or stated
    if not name:
        fail("unknown_judge", "field 'eval_config' does not name the judge as 'gpt'; pass --judge NAME")
    return name
