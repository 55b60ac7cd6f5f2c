"""Tulu's human evaluation: a sheet of two answers a row, which is better in five degrees, and whether each will do.

Columns: `id, instance_id, prompt, model_a, model_b, completion_a, completion_b, completion_a_is_acceptable,
completion_b_is_acceptable, preference, evaluator, comment`. The five degrees are evenly spaced numbers for A:
a-is-better 1, a-is-slightly-better 0.75, tie 0.5, b-is-slightly-better 0.25, b-is-better 0, and the word itself is kept
as the words of the judgement, with the comment in a line below it. Whether an answer is acceptable is a score of 1 or 0
by the rubric `tulu-acceptable`. The judge is the evaluator. Rows without a model are instances that nobody has judged.

A spreadsheet takes an answer that begins with `=` for a formula, whose text is the answer and whose value is not. A row
of a CSV file whose answer has become an error of the sheet is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, integer, maybe_text, present, skip, text
from tsodata.importers.verdicts import Judge, Reading, Said, preference, score
from tsodata.reading import Formula
from tsodata.records import Origin, Prompt, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFERENCE = Rubric("tulu-preference", kind="pairwise", scale_min=0, scale_max=1)
_ACCEPTABLE = Rubric("tulu-acceptable", scale_min=0, scale_max=1)
_DEGREES = {
    "a-is-better": 1.0,
    "a-is-slightly-better": 0.75,
    "tie": 0.5,
    "b-is-slightly-better": 0.25,
    "b-is-better": 0.0,
}
_ANSWERS = {"yes": 1.0, "no": 0.0}
_SHEET_ERRORS = ("#ERROR!", "#N/A", "#NAME?", "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NULL!")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, both answers, whether each is acceptable, and the evaluator's preference."""
    present(row, "model_a")
    if maybe_text(row, "model_a") is None:
        skip("no_model", "the row names no 'model_a': nobody has judged it")
    prompt = Prompt.of_user(text(row, "prompt"))
    judge = Judge(context.judge or text(row, "evaluator"), "human")
    number = integer(row, "id")
    sides = {side: _response(row, side, prompt=prompt, context=context) for side in "ab"}
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, maybe_text(row, "instance_id")), *sides.values())
    for side, answer in sides.items():
        name = f"completion_{side}_is_acceptable"
        said = _said(row, name, number=number, side=side)
        yield from score(
            answer, _read(row, name, _ANSWERS), judge=judge, rubric=_ACCEPTABLE, dimension="acceptable", said=said
        )
    yield from preference(
        (sides["a"], sides["b"]),
        _read(row, "preference", _DEGREES),
        judge=judge,
        rubric=_PREFERENCE,
        is_hard=False,
        said=_said(row, "preference", number=number),
    )


def _response(row: Row, side: str, *, prompt: Prompt, context: Context) -> Response:
    source, typed = context.model(text(row, f"model_{side}")), present(row, f"completion_{side}")
    words = text({"answer": typed.text if isinstance(typed, Formula) else typed}, "answer", may_be_empty=True)
    if words in _SHEET_ERRORS:
        fail(
            "sheet_error",
            f"field 'completion_{side}' is {words}: the sheet took an answer that begins with = to be sums",
        )
    return Response(prompt.prompt_key, source.source_key, words)


def _read(row: Row, name: str, known: dict[str, float]) -> Reading:
    word = maybe_text(row, name)
    if word is None:
        return Reading(None, "no_score")
    if word not in known:
        fail("out_of_range", f"field {name!r} is {word!r}, none of {', '.join(known)}")
    return Reading(known[word])


def _said(row: Row, name: str, *, number: int | None, side: str = "") -> Said | None:
    """Return the evaluator's word, under the number of the judged row."""
    word, comment = maybe_text(row, name), maybe_text(row, "comment") if name == "preference" else None
    where = None if number is None else "/".join(filter(None, (str(number), side)))
    words = "\n".join(filter(None, (word, comment)))
    return Said(words, where) if words else None
