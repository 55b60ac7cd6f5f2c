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

from functools import lru_cache
from typing import TYPE_CHECKING

from tsodata.importers.context import (
    Context,
    Row,
    fail,
    from_json,
    integer,
    maybe_text,
    messages,
    number,
    objects,
    present,
    sample_index,
    text,
)
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
)
from tsodata.sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Iterator

_origin = lru_cache(maxsize=16)(Origin)  # the rows of one prompt mostly follow each other
_SCORE_FIELDS = ("score", "judge", "rubric", "dimension", "scale_min", "scale_max", "raw", "reason")


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
        if any(row.get(column(field, context)) not in (None, "", [], "[]") for field in ("score", "judgements")):
            fail("missing_field", f"the row has a score but no field {name!r}")
        return
    for record in answer(row, text(row, name, may_be_empty=True), prompt=prompt, context=context):
        yield record
        if isinstance(record, Response):
            for said in _judgements(row, context):
                yield from _score(said, record, context)


def _prompt(row: Row, context: Context) -> Prompt:
    name = column("messages", context)
    if row.get(name) not in (None, ""):
        return Prompt(messages(row[name], name))
    system = maybe_text(row, column("system", context))
    return Prompt.of_user(text(row, column("prompt", context)), system=system)


def answer(row: Row, words: str, *, prompt: Prompt, context: Context) -> Iterator[Record]:
    """Yield the settings, where the row states some, and the answer of a generic row."""
    source = answering_source(row, context)
    if source is None:
        fail("unknown_model", "the row names no model; pass --family, or --map model=COLUMN, or --human")
    settings = _settings(row, context)
    if settings:
        yield settings
    yield Response(
        prompt_key=prompt.prompt_key,
        source_key=source.source_key,
        text=words,
        sample_index=sample_index(row, column("sample", context)),
        settings_key=settings.settings_key if settings else None,
        seed=integer(row, column("seed", context)),
        finish_reason=maybe_text(row, column("finish_reason", context)),
        external_id=maybe_text(row, column("id", context)),
    )


def origin(row: Row, prompt: Prompt, context: Context) -> Origin:
    """Return where the prompt of a generic row comes from."""
    tags = row.get(column("tags", context)) or []
    if isinstance(tags, str):
        tags = [tag.strip() for tag in tags.split(",")]
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        fail("wrong_type", f"field {column('tags', context)!r} is not a list of texts")
    dataset = maybe_text(row, column("dataset", context)) or context.dataset
    return _origin(prompt.prompt_key, dataset, maybe_text(row, column("prompt_id", context)), tuple(tags))


def answering_source(row: Row, context: Context) -> Source | None:
    """Return who answered: a person, the cell the row states, the model it names, or the cell of the flags."""
    human = maybe_text(row, column("human", context)) or "false"
    if human.lower() not in ("false", "0"):
        return context.people(None if human.lower() in ("true", "1") else human)
    family = maybe_text(row, column("family", context))
    if family:
        version = maybe_text(row, column("version", context))
        return context.keep(Source.model(family, version, parse_size(maybe_text(row, column("size", context)))))
    name = maybe_text(row, column("model", context))
    if name:
        return context.model(name)
    if context.human:
        return context.people()
    return context.flagged()


def _settings(row: Row, context: Context) -> Settings | None:
    name = column("settings", context)
    if row.get(name) in (None, ""):
        return None
    value = from_json(row[name], name)
    if not isinstance(value, dict):
        fail("wrong_type", f"field {name!r} is not an object")
    try:
        return Settings.of(value)
    except (TypeError, RecursionError) as error:  # Parquet holds dates, JSON does not
        fail("wrong_type", f"field {name!r} is not plain JSON: {error}")


def _judgements(row: Row, context: Context) -> list[Row]:
    listed = column("judgements", context)
    if row.get(listed) not in (None, "", [], "[]"):
        return objects({listed: from_json(row[listed], listed)}, listed)
    said = {name: row[found] for name in _SCORE_FIELDS if (found := column(name, context)) in row}
    return [said] if any(said.get(name) not in (None, "") for name in ("score", "raw", "reason")) else []


def _score(said: Row, response: Response, context: Context) -> Iterator[Record]:
    judge = maybe_text(said, "judge") or context.judge
    if not judge:
        fail("missing_field", "a score without its judge; add a field 'judge' or pass --judge NAME")
    value = number({"score": present(said, "score")}, "score")
    name = maybe_text(said, "rubric") or "unstated"
    rubric = Rubric.pointwise(name, number(said, "scale_min"), number(said, "scale_max"))
    yield rubric
    judgement = _judgement(said, response, judge=judge, rubric=rubric)
    if judgement:
        yield judgement
    yield Score(
        judgement_key=judgement.judgement_key if judgement else None,
        prompt_key=response.prompt_key,
        source_key=response.source_key,
        response_key=response.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=rubric.rubric_key,
        dimension=maybe_text(said, "dimension") or "overall",
        sample_index=sample_index(said, "sample"),
        value=value,
        reason=(maybe_text(said, "reason") or "no_score") if value is None else None,
    )


def _judgement(said: Row, response: Response, *, judge: str, rubric: Rubric) -> Judgement | None:
    raw = maybe_text(said, "raw")
    if raw is None:
        return None
    return Judgement(
        prompt_key=response.prompt_key,
        response_key=response.response_key,
        other_key=None,
        judge=judge,
        judge_kind="model",
        rubric_key=rubric.rubric_key,
        sample_index=sample_index(said, "sample"),
        raw=raw,
    )
