"""QLoRA's Vicuna-80 study: generations, and GPT-4 ratings of two answers at once in both orders.

A generation's model is the name of its file. A rating names two answer ids; the file's name holds both models, but in
the `NNb-*` files in the reverse order, so only the ids are trusted: one of them must be known from an `answer_*` file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Answer, Context, Row, fail, identifier, maybe_text, number, present, text
from tsodata.records import Judgement, Origin, Prompt, Record, Response, Rubric, Score, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINT = "a generations file or prompts/vicuna_questions.jsonl"
_RUBRIC = Rubric("qlora-relative", kind="pairwise", scale_min=1, scale_max=10)
_PARSER = "qlora"
_REVIEWER = "-reviewer"
_ALIASES = {"gpt-3.5": "answer_gpt35"}


def parse_generation(row: Row, context: Context) -> Iterator[Record]:
    """Yield a question, a generation with its question, or an answer to a question that is known already."""
    external_id = identifier(row, "question_id")
    if "answer_id" in row:
        yield _answer(row, external_id, context)
        return
    prompt = Prompt.of_user(text(row, "text"))
    category = maybe_text(row, "category")
    yield prompt
    yield Origin(prompt.prompt_key, context.dataset, external_id, (category,) if category else ())
    if "generation" in row:
        settings = Settings.of({"rendered_prompt": maybe_text(row, "prompt")})
        yield settings
        source = context.model(context.stem)
        words = text(row, "generation", may_be_empty=True)
        yield Response(prompt.prompt_key, source.source_key, words, settings_key=settings.settings_key)


def _answer(row: Row, external_id: str, context: Context) -> Response:
    return Response(
        context.prompt_key(external_id, _HINT),
        context.model(context.stem).source_key,
        text(row, "text", may_be_empty=True),
        external_id=identifier(row, "answer_id"),
    )


def parse_rating(row: Row, context: Context) -> Iterator[Record]:
    """Yield the judge's words and the scores of both answers, first shown first."""
    prompt_key = context.prompt_key(identifier(row, "question_id"), _HINT)
    first, second = _answers(row, prompt_key, context)
    values = _scores(row)
    judge = _judge(context)
    judgement = Judgement(
        prompt_key=prompt_key,
        response_key=first.response_key,
        other_key=second.response_key,
        judge=judge,
        judge_kind="model",
        rubric_key=_RUBRIC.rubric_key,
        raw=text(row, "text", may_be_empty=True),
        external_id=maybe_text(row, "review_id"),
    )
    yield from (_RUBRIC, judgement)
    for answer, value in zip((first, second), values, strict=True):
        yield Score(
            judgement_key=judgement.judgement_key,
            prompt_key=prompt_key,
            source_key=answer.source_key,
            response_key=answer.response_key,
            judge=judge,
            judge_kind="model",
            rubric_key=_RUBRIC.rubric_key,
            dimension="overall",
            value=value,
            reason="not_parsed" if value is None else None,
            parser=_PARSER,
        )


def _scores(row: Row) -> tuple[float | None, float | None]:
    """Return the two numbers, or None twice where -1 says that the judge's words hold none."""
    listed = present(row, "score")
    if not isinstance(listed, list) or len(listed) != 2 or not all(type(value) in (int, float) for value in listed):
        fail("wrong_type", "field 'score' is not a pair of numbers")
    if -1 in listed:
        return None, None
    first, second = (number({"score": value}, "score") for value in listed)
    return first, second


def _answers(row: Row, prompt_key: int, context: Context) -> tuple[Answer, Answer]:
    """Return the two answers in the order shown, by their ids; an unknown id is the file's other model."""
    ids = (identifier(row, "answer1_id"), identifier(row, "answer2_id"))
    known = [context.lookup.answers.get(answer_id) for answer_id in ids]
    if known[0] is None and known[1] is None:
        fail("unknown_answer", f"neither answer {ids[0]} nor {ids[1]} is in the store; import answer_gpt35.jsonl first")
    if any(answer is not None and answer.prompt_key != prompt_key for answer in known):
        fail("unknown_answer", f"answer {ids[0]} or {ids[1]} is known, but from another question")
    if known[0] is not None and known[1] is not None:
        return known[0], known[1]
    anchor = known[0] or known[1]
    assert anchor is not None
    other = _other_answer(anchor, prompt_key, context)
    return (anchor, other) if known[0] else (other, anchor)


def _other_answer(anchor: Answer, prompt_key: int, context: Context) -> Answer:
    names = [_ALIASES.get(name, name) for name in _models(context)]
    sources = [context.model(name) for name in names]
    others = [source for source in sources if source.source_key != anchor.source_key]
    if len(sources) != 2 or len(others) != 1:
        fail("unknown_model", f"file name {context.stem!r} does not name the known answer's model and one other")
    keys = context.lookup.by_cell.get((prompt_key, others[0].source_key), [])
    if len(keys) != 1:
        found = f"{len(keys)} answers" if keys else "no answer"
        where = f"of {others[0].label} to this question in the store"
        fail("unknown_answer", f"{found} {where}; import its generations first")
    return Answer(keys[0], prompt_key, others[0].source_key)


def _models(context: Context) -> list[str]:
    pair = context.stem.removesuffix(_REVIEWER).rpartition("-")[0]
    return pair.split("-vs-")


def _judge(context: Context) -> str:
    """Return the judge that --judge or the file's name states: `…-gpt4-reviewer` is gpt-4."""
    if context.judge:
        return context.judge
    name = context.stem.removesuffix(_REVIEWER).rpartition("-")[2]
    if not context.stem.endswith(_REVIEWER) or not name:
        fail("unknown_judge", f"file name {context.stem!r} does not end in -JUDGE{_REVIEWER}; pass --judge NAME")
    return {"gpt4": "gpt-4", "gpt35": "gpt-3.5"}.get(name, name)
