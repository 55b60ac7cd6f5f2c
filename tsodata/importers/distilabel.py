"""distilabel's rows: `instruction, generations[], generation_models[], ratings[], rationales[]`, or a binarised pair.

The question is `instruction` (with `system_prompt`) or chat turns in `messages`; each list has one item a generation.
A model that generated several times gives several samples. A missing rating is NULL with the reason, never a number. A
generation that is null is an empty answer whose finish reason is `no_generation`: the model was asked and gave nothing.
The judge is --judge, else `model_name`, which names the model that rated; its rationales are the words.

A row with `generations` is read from them alone, since its pair follows from the ratings. A row without is a pair of
`chosen, rejected, chosen_model, rejected_model, chosen_rating, rejected_rating`; its sides are texts or conversations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers import pairs
from tsodata.importers.candidates import asked, beside, draws, unnamed
from tsodata.importers.context import Context, Row, fail, maybe_text, present, text
from tsodata.importers.verdicts import Judge, Reading, Said, read_number, score
from tsodata.records import Origin, Prompt, Record, Response, Rubric, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUBRIC = Rubric("distilabel")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, each generation with its rating and rationale, or the binarised pair."""
    if row.get("generations") is None:
        yield from _pair(row, context)
        return
    prompt = _prompt(row)
    generations = present(row, "generations")
    if not isinstance(generations, list) or not generations:
        fail("wrong_type", "field 'generations' is not a list of texts")
    ratings = beside(row, "ratings", len(generations))
    rationales = beside(row, "rationales", len(generations)) or [None] * len(generations)
    sources = _sources(row, len(generations), context)
    judge = _judge(row, context) if ratings else None
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, maybe_text(row, "id")))
    for position, sample in enumerate(draws(sources)):
        answer = _response(generations[position], prompt, source=sources[position], sample=sample)
        yield answer
        if ratings and judge:
            words = maybe_text({"rationales": rationales[position]}, "rationales")
            read = read_number(ratings[position], "ratings")
            if answer.finish_reason:
                read = Reading(None, "no_generation")
            yield from score(answer, read, judge=judge, rubric=_RUBRIC, said=Said(words) if words else None)


def _prompt(row: Row) -> Prompt:
    if row.get("instruction") is None and row.get("messages") is not None:
        return asked(row, "messages")
    return asked(row, "instruction", system=maybe_text(row, "system_prompt"))


def _sources(row: Row, n_answers: int, context: Context) -> list[Source]:
    names = beside(row, "generation_models", n_answers)
    if names is None:
        return [unnamed(context)] * n_answers
    return [context.model(text({"generation_models": name}, "generation_models")) for name in names]


def _judge(row: Row, context: Context) -> Judge:
    name = context.judge or maybe_text(row, "model_name")
    if not name:
        fail("unknown_judge", "the row has ratings but no 'model_name' of who rated; pass --judge NAME")
    return Judge(name)


def _response(words: object, prompt: Prompt, *, source: Source, sample: int) -> Response:
    if words is not None and not isinstance(words, str):
        fail("wrong_type", f"a generation is {type(words).__name__}, not text")
    return Response(
        prompt.prompt_key,
        source.source_key,
        words or "",
        sample_index=sample,
        finish_reason="no_generation" if words is None else None,
    )


def _pair(row: Row, context: Context) -> Iterator[Record]:
    columns = {side: f"{side}_rating" for side in ("chosen", "rejected")}
    if isinstance(present(row, "chosen"), list):
        pair = pairs.conversations(row)
    else:
        name = "prompt" if row.get("instruction") is None and row.get("prompt") is not None else "instruction"
        prompt = asked(row, name, system=maybe_text(row, "system_prompt"))
        sides = (text(row, side, may_be_empty=True) for side in columns)
        pair = pairs.Pair(prompt, *sides)
    yield from pairs.records(pair, row, context, scores=columns)
