"""A judge's attempts in a journal: its words, the rubrics they go by, and what was read in them.

The answers that were judged are those of the store, but for those that were made up to try the judge, which the row
holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tsodata.importers.context import (
    Context,
    Row,
    fail,
    from_json,
    maybe_text,
    number,
    objects,
    present,
    sample_index,
    text,
)
from tsodata.importers.journal_calls import call_records, failure_of, key_of, maybe_key
from tsodata.provenance import format_id
from tsodata.records import Judgement, Preference, Record, Rubric, Score, Settings, ShownResponse, Source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

TASK = "judge"
_BY_MODEL = "model"
_ID_PREFIX = format_id("response", 0).removesuffix("0" * 16)


class _Shown(NamedTuple):
    """The answer that was judged, or the first of two."""

    response_key: int
    source_key: int


def names(row: Row) -> Iterator[str]:
    """Yield the ids of the stored answers that a row is about; what is no key is left to `parse`."""
    judgements = row.get("judgements")
    told = [row, *(one for one in judgements if isinstance(one, dict))] if isinstance(judgements, list) else [row]
    for one in told:
        probe = one.get("probe")
        for holder, name in ((one, "response_key"), (one, "other_key"), (probe, "original_key")):
            digits = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(digits, str):
                yield f"{_ID_PREFIX}{digits}"


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the settings, the judgements, what was read in each, and the call.

    Raises:
        Refused: an answer is not in the store or is another prompt's, or keys are not those of the content.
    """
    prompt_key, judged_key = key_of(row, "prompt_key"), maybe_key(row, "response_key")
    if judged_key is not None:
        _source_key(context, judged_key, prompt_key)
    first = None
    if failure_of(row) is None:
        judge, settings = text(row, "judge"), Settings(text(row, "settings"))
        yield settings
        for one in objects(row, "judgements"):
            rubric = _rubric(one)
            shown = yield from _shown(one, prompt_key, context)
            judgement = _judgement(one, shown, prompt_key=prompt_key, judge=judge, settings=settings)
            if judgement.rubric_key != rubric.rubric_key:
                fail("bad_content", "the rubric is not that of its key")
            first = first or judgement
            yield from (rubric, judgement, *_verdicts(one, judgement, shown.source_key))
    key = first.judgement_key if first else None
    yield from call_records(row, task=TASK, prompt_key=prompt_key, response_key=judged_key, judgement_key=key)


def _shown(one: Row, prompt_key: int, context: Context) -> Generator[Record, None, _Shown]:
    """Yield the source and the text of a made-up answer; return which answer was judged."""
    key, other_key = key_of(one, "response_key"), maybe_key(one, "other_key")
    if other_key is not None:
        _source_key(context, other_key, prompt_key)
    probe = one.get("probe")
    if probe is None:
        return _Shown(key, _source_key(context, key, prompt_key))
    if not isinstance(probe, dict):
        fail("wrong_type", "field 'probe' is no object")
    original = key_of(probe, "original_key")
    _source_key(context, original, prompt_key)
    source = Source.model("probe", text(probe, "name"))
    made_up = ShownResponse(
        prompt_key,
        source.source_key,
        text(probe, "text", may_be_empty=True),
        sample_index=original % 2**31,
        external_id=format_id("response", original),
    )
    if made_up.response_key != key:
        fail("bad_content", "the made-up answer is not that of its key")
    yield from (source, made_up)
    return _Shown(key, source.source_key)


def _source_key(context: Context, response_key: int, prompt_key: int) -> int:
    answer = context.lookup.named.get(response_key)
    if answer is None:
        where = format_id("response", response_key)
        fail("unknown_answer", f"the store has no answer {where}; import the journals of the answers first")
    if answer.prompt_key != prompt_key:
        fail("bad_content", f"{format_id('response', response_key)} answers another prompt")
    return answer.source_key


def _rubric(one: Row) -> Rubric:
    body = from_json(present(one, "rubric"), "rubric")
    if not isinstance(body, dict):
        fail("wrong_type", "field 'rubric' is no object")
    return Rubric(
        text(body, "name"),
        kind=text(body, "kind"),
        scale_min=number(body, "scale_min"),
        scale_max=number(body, "scale_max"),
        template=maybe_text(body, "template"),
    )


def _judgement(one: Row, shown: _Shown, *, prompt_key: int, judge: str, settings: Settings) -> Judgement:
    return Judgement(
        prompt_key=prompt_key,
        response_key=shown.response_key,
        other_key=maybe_key(one, "other_key"),
        judge=judge,
        judge_kind=_BY_MODEL,
        rubric_key=key_of(one, "rubric_key"),
        sample_index=sample_index(one, "sample"),
        raw=text(one, "raw", may_be_empty=True),
        settings_key=settings.settings_key,
    )


def _verdicts(one: Row, judgement: Judgement, source_key: int) -> Iterator[Record]:
    for verdict in objects(one, "verdicts"):
        if judgement.other_key is None:
            yield _score(verdict, judgement, source_key)
        else:
            yield _preference(verdict, judgement, judgement.other_key)


def _score(verdict: Row, judgement: Judgement, source_key: int) -> Score:
    return Score(
        judgement_key=judgement.judgement_key,
        prompt_key=judgement.prompt_key,
        source_key=source_key,
        response_key=judgement.response_key,
        judge=judgement.judge,
        judge_kind=judgement.judge_kind,
        rubric_key=judgement.rubric_key,
        dimension=text(verdict, "dimension"),
        sample_index=judgement.sample_index,
        value=number(verdict, "value"),
        reason=maybe_text(verdict, "reason"),
        parser=text(verdict, "parser"),
    )


def _preference(verdict: Row, judgement: Judgement, other_key: int) -> Preference:
    return Preference(
        judgement_key=judgement.judgement_key,
        prompt_key=judgement.prompt_key,
        response_a_key=judgement.response_key,
        response_b_key=other_key,
        judge=judgement.judge,
        judge_kind=judgement.judge_kind,
        rubric_key=judgement.rubric_key,
        preference=number(verdict, "value"),
        is_hard=verdict.get("is_hard") is True,
        reason=maybe_text(verdict, "reason"),
        parser=text(verdict, "parser"),
    )
