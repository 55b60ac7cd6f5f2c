"""Generic rows, from JSON lines, CSV or Parquet, with the fields under any name (`--map prompt=question`).

Fields:
    prompt | messages      the question as text, or as chat turns that end with the user's; required
    system                 a system message beside `prompt`
    response               the answer; without one the row adds the prompt alone
    model                  the answering model's name, placed by a models table or flags
    family, version, size  the cell, stated by the row itself
    human                  who wrote the answer, where a person did (true, or a name)
    sample, seed, finish_reason, settings
    score, judge           a judge's number for the answer, and the judge; null is no score
    rubric, dimension, scale_min, scale_max, raw, reason
    judgements             a list of objects with the fields of the two lines above
    dataset, prompt_id, id, tags
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tsodata.importers.context import Context, Row, fail, integer, maybe_text, messages, number, present, text
from tsodata.records import (
    Judgement,
    Origin,
    Prompt,
    Record,
    Response,
    Rubric,
    Score,
    Settings,
    Source,
    parse_size,
)


def column(name: str, context: Context) -> str:
    """Return the column that a field has in this file."""
    return context.mapping.get(name, name)


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, the answer, and the scores of one row."""
    prompt = _prompt(row, context)
    yield prompt
    yield origin(row, prompt, context)
    name = column("response", context)
    if row.get(name) is None:
        if any(row.get(column(field, context)) is not None for field in ("score", "judgements")):
            fail("missing_field", f"the row has a score but no field {name!r}")
        return
    source = answering_source(row, context)
    if source is None:
        fail("unknown_model", "the row names no model; pass --family, or --map model=COLUMN, or --human")
    settings = settings_of(row, context)
    if settings:
        yield settings
    response = Response(
        prompt.prompt_key,
        source.source_key,
        text(row, name, may_be_empty=True),
        sample_index=integer(row, column("sample", context)) or 0,
        settings_key=settings.settings_key if settings else None,
        seed=integer(row, column("seed", context)),
        finish_reason=maybe_text(row, column("finish_reason", context)),
        external_id=maybe_text(row, column("id", context)),
    )
    yield response
    for said in _judgements(row, context):
        yield from _score(said, response, context)


def _prompt(row: Row, context: Context) -> Prompt:
    turns = row.get(column("messages", context))
    if turns is not None:
        turns = json.loads(turns) if isinstance(turns, str) else turns
        return Prompt(messages(turns, column("messages", context)))
    system = maybe_text(row, column("system", context))
    return Prompt.of_user(text(row, column("prompt", context)), system=system)


def origin(row: Row, prompt: Prompt, context: Context) -> Origin:
    """Return where the prompt of a generic row comes from."""
    tags = row.get(column("tags", context)) or ()
    if isinstance(tags, str):
        tags = [tag.strip() for tag in tags.split(",")]
    if not all(isinstance(tag, str) for tag in tags):
        fail("wrong_type", "field 'tags' is not a list of texts")
    dataset = maybe_text(row, column("dataset", context)) or context.dataset
    return Origin(prompt.prompt_key, dataset, maybe_text(row, column("prompt_id", context)), tuple(tags))


def answering_source(row: Row, context: Context) -> Source | None:
    """Return who answered: a person, the cell the row states, the model it names, or the cell of the flags."""
    human = row.get(column("human", context))
    if human not in (None, "", False, "false", "False", "0", 0):
        return context.people(human if isinstance(human, str) and human.lower() not in ("true", "1") else None)
    family = maybe_text(row, column("family", context))
    if family:
        version = maybe_text(row, column("version", context))
        return context.cell(Source.model(family, version, parse_size(maybe_text(row, column("size", context)))))
    name = maybe_text(row, column("model", context))
    if name:
        return context.model(name)
    if context.human:
        return context.people()
    return context.flagged()


def settings_of(row: Row, context: Context) -> Settings | None:
    """Return the sampling settings that a row states, an object or its JSON."""
    value = row.get(column("settings", context))
    if value in (None, ""):
        return None
    value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, dict):
        fail("wrong_type", "field 'settings' is not an object")
    return Settings.of(value)


def _judgements(row: Row, context: Context) -> list[Row]:
    listed = row.get(column("judgements", context))
    if listed is not None:
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            fail("wrong_type", "field 'judgements' is not a list of objects")
        return listed
    fields = ("score", "judge", "rubric", "dimension", "scale_min", "scale_max", "raw", "reason")
    said = {name: row[column(name, context)] for name in fields if column(name, context) in row}
    return [said] if said.get("score") is not None or said.get("raw") or said.get("reason") else []


def _score(said: Row, response: Response, context: Context) -> Iterator[Record]:
    judge = maybe_text(said, "judge") or context.judge
    if not judge:
        fail("missing_field", "a score without its judge; add a field 'judge' or pass --judge NAME")
    value = number({"score": present(said, "score")}, "score")
    name = maybe_text(said, "rubric") or "unstated"
    rubric = Rubric(name, scale_min=number(said, "scale_min"), scale_max=number(said, "scale_max"))
    yield rubric
    raw = maybe_text(said, "raw")
    judgement = None
    if raw is not None:
        sample = integer(said, "sample") or 0
        judgement = Judgement(
            response.prompt_key, response.response_key, None, judge, "model", rubric.rubric_key, sample, raw
        )
        yield judgement
    yield Score(
        judgement.judgement_key if judgement else None,
        response.prompt_key,
        response.source_key,
        response.response_key,
        judge,
        "model",
        rubric.rubric_key,
        maybe_text(said, "dimension") or "overall",
        sample_index=integer(said, "sample") or 0,
        value=value,
        reason=(maybe_text(said, "reason") or "no_score") if value is None else None,
    )
