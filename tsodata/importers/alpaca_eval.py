"""AlpacaEval: a model's outputs, and the preferences of both generations of annotator.

The outputs are rows of `instruction, dataset, output, generator`. An annotation shows two outputs with its preference:
1 is the first, 2 the second, anything between is soft (AlpacaEval 2), 1.5 and 0 are ties, null is unparsed. The texts
that an annotation shows are stored as shown: those of text_davinci_003 in AlpacaEval 1 differ from the model's outputs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, maybe_text, number, text
from tsodata.records import Judgement, Origin, Preference, Prompt, Record, Response, Rubric, ShownResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUBRIC = Rubric("alpaca-eval", kind="pairwise")


def parse_output(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt and the answer of one row."""
    prompt, origin = _prompt(row, context)
    source = context.model(text(row, "generator"))
    yield prompt
    yield origin
    yield Response(prompt.prompt_key, source.source_key, text(row, "output", may_be_empty=True))


def parse_annotation(row: Row, context: Context) -> Iterator[Record]:
    """Yield the verdict of one row, with the prompt and the two texts it was given on."""
    prompt, origin = _prompt(row, context)
    judge = text(row, "annotator")
    first, second = (_shown(row, side, prompt=prompt, context=context) for side in (1, 2))
    judgement = Judgement(
        prompt_key=prompt.prompt_key,
        response_key=first.response_key,
        other_key=second.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=_RUBRIC.rubric_key,
        raw=_raw_words(row),
    )
    preference = _preference(row)
    yield from (prompt, origin, first, second, _RUBRIC, judgement)
    yield Preference(
        judgement_key=judgement.judgement_key,
        prompt_key=prompt.prompt_key,
        response_a_key=first.response_key,
        response_b_key=second.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=_RUBRIC.rubric_key,
        preference=preference,
        is_hard=preference in (0.0, 0.5, 1.0),
        reason="not_parsed" if preference is None else None,
    )


def _shown(row: Row, side: int, *, prompt: Prompt, context: Context) -> ShownResponse:
    source = context.model(text(row, f"generator_{side}"))
    words = text(row, f"output_{side}", may_be_empty=True)
    return ShownResponse(prompt.prompt_key, source.source_key, words)


def _prompt(row: Row, context: Context) -> tuple[Prompt, Origin]:
    prompt = Prompt.of_user(text(row, "instruction"))
    dataset = maybe_text(row, "dataset") or context.dataset
    return prompt, Origin(prompt.prompt_key, dataset, tags=("alpaca_eval",))


def _raw_words(row: Row) -> str | None:
    raw = row.get("raw_completion")
    if raw is None or isinstance(raw, str):
        return raw
    return json.dumps(raw, ensure_ascii=False, allow_nan=False, default=str)


def _preference(row: Row) -> float | None:
    """Return how much output 1 is preferred, 0..1, or None where the annotator's words were not parsed."""
    given = number(row, "preference")
    if given is None:
        return None
    if given == 0:
        return 0.5
    if not 1 <= given <= 2:
        fail("out_of_range", f"preference {given} is neither 0 nor between 1 and 2")
    return 2 - given
