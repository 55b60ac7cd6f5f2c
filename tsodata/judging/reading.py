"""Words as records: what a judge said, and the scores or the preference that a parser reads in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tsodata.engines.protocol import Completion
from tsodata.judging.parsers import PREFERENCE, Asked, Reading, find_parser
from tsodata.records import Judgement, Preference, Score

CUT = "length"  # why a text ended that was cut off
_HARD = ("letter/",)  # parsers whose preference is a choice, not a degree


class Side(NamedTuple):
    """An answer that was judged."""

    response_key: int
    source_key: int


def raw_words(completion: Completion) -> str:
    """Return what is stored of a reply: its text, or its text with the likeliest tokens as JSON in OpenAI's form."""
    if completion.top_logprobs is None:
        return completion.text
    tokens = [
        {"top_logprobs": [{"token": token, "logprob": logprob} for token, logprob in sorted(likeliest.items())]}
        for likeliest in completion.top_logprobs
    ]
    return json.dumps({"text": completion.text, "logprobs": {"content": tokens}}, ensure_ascii=False)


def read_verdicts(
    judgement: Judgement,
    sides: Sequence[Side],
    *,
    parser: str,
    asked: Asked,
) -> Iterator[Score | Preference]:
    """Yield what a parser reads in a judgement: one score per dimension, or the preference of a pair."""
    found = find_parser(parser)(judgement.raw or "", asked)
    if len(sides) == 2:
        yield _preference(judgement, sides, found[PREFERENCE], parser)
        return
    for dimension, reading in found.items():
        yield _score(judgement, sides[0], reading, dimension=dimension, parser=parser)


def _score(judgement: Judgement, side: Side, reading: Reading, *, dimension: str, parser: str) -> Score:
    return Score(
        judgement_key=judgement.judgement_key,
        prompt_key=judgement.prompt_key,
        source_key=side.source_key,
        response_key=side.response_key,
        judge=judgement.judge,
        judge_kind=judgement.judge_kind,
        rubric_key=judgement.rubric_key,
        dimension=dimension,
        sample_index=judgement.sample_index,
        value=reading.value,
        reason=reading.reason,
        parser=parser,
    )


def _preference(judgement: Judgement, sides: Sequence[Side], reading: Reading, parser: str) -> Preference:
    return Preference(
        judgement_key=judgement.judgement_key,
        prompt_key=judgement.prompt_key,
        response_a_key=sides[0].response_key,
        response_b_key=sides[1].response_key,
        judge=judgement.judge,
        judge_kind=judgement.judge_kind,
        rubric_key=judgement.rubric_key,
        preference=reading.value,
        is_hard=parser.startswith(_HARD) and reading.value is not None,
        reason=reading.reason,
        parser=parser,
    )
