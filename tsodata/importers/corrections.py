"""Scores of answers that the store already holds, by people or by a stronger judge: corrections (Sec. 3.2).

A row, JSON or CSV, names the answer and says what it is worth; `tso-data export-corrections` lays such rows out:

    response_id            the answer, `r1-…`; required
    text_id                the hash of its text, `t1-…`, in `v_responses` as tso_id('t', text_key); required
    score                  the number; a row without one was not filled and is skipped
    reason                 why
    rubric_id | rubric     the rubric by its id `rub1-…`, or by name, with `scale_min` and `scale_max` for a new one
    dimension              `overall` where nothing is said
    author, author_kind    who says so (else --human NAME, or --by MODEL), and whether `human` or `model`
    made_at                when, in ISO 8601; else the file's own time

A row is refused where its hash is no longer that of the answer's text: the answer was edited, or the row was moved to
another one. Every other column, the prompt and the answer among them, is for people to read and is not read back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from tsodata.errors import UsageError
from tsodata.importers.annotations import read_time
from tsodata.importers.context import Context, Lookup, Named, Row, fail, maybe_text, number, present, skip
from tsodata.importers.verdicts import read_number
from tsodata.provenance import check_names, parse_id
from tsodata.records import Correction, Record, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tsodata.store import Store

ID, TEXT_ID, RUBRIC_ID, RUBRIC, DIMENSION = "response_id", "text_id", "rubric_id", "rubric", "dimension"
SCORE, REASON = "score", "reason"
KINDS = ("human", "model")


class Filled(NamedTuple):
    """What somebody says of an answer: a number, who, why and when; None where the file does not tell."""

    value: object
    author: str | None = None
    reason: object = None
    made_at: datetime | None = None
    kind: str | None = None


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the correction of a row, and its rubric."""
    stated = maybe_text(row, "made_at")
    made_at = read_time(stated)
    if stated and made_at is None:
        fail("wrong_type", f"field 'made_at' is {stated!r}, not a time in ISO 8601")
    present(row, SCORE)
    author = maybe_text(row, "author")
    filled = Filled(row[SCORE], author, maybe_text(row, REASON), made_at, maybe_text(row, "author_kind"))
    yield from corrections(row, [filled] if row[SCORE] not in (None, "") else [], context)


def names(row: Row) -> list[object]:
    """Return the id of the answer that a row is about."""
    return [row.get(ID)]


def read_id(noun: str, value: object) -> int | None:
    """Return the key of an id, or None where it is none."""
    try:
        return parse_id(noun, value) if isinstance(value, str) else None
    except UsageError:
        return None


def look_up_named(store: Store, lookup: Lookup, keys: list[int]) -> None:
    """Add the answers of these keys to a lookup, as far as the store has them, and all its rubrics."""
    with store.reader() as reader:
        answers = cast("list[tuple[int, int, int, int]]", reader.rows("corrections/named_answers", keys=keys))
        found = [
            Rubric(name, scale_min=low, scale_max=high, template=template)
            for name, low, high, template in reader.rows("corrections/rubrics")
        ]
    lookup.named.update({key: Named(*known) for key, *known in answers})
    lookup.rubrics.update({rubric.rubric_key: rubric for rubric in found})


def corrections(about: Row, filled: Sequence[Filled], context: Context) -> Iterator[Record]:
    """Yield what people, or a stronger judge, say of the answer that a row, a record or a task is about.

    Raises:
        Refused: the answer is not there or has another text, the rubric is not clear, or a number is off its scale.
    """
    response_key = read_id("response", about.get(ID))
    answer = context.lookup.named.get(response_key) if response_key is not None else None
    if response_key is None or answer is None:
        fail("unknown_answer", f"the store has no answer {about.get(ID)!r}")
    if read_id("text", present(about, TEXT_ID)) != answer.text_key:
        fail("content_changed", f"{about[TEXT_ID]!r} is not the hash of the text of {about[ID]}; export the sheet anew")
    if not filled:
        skip("not_filled", f"nobody has scored {about[ID]}")
    rubric = _rubric(about, context)
    dimension = maybe_text(about, DIMENSION) or "overall"
    check_names(dimension)
    yield rubric
    for one in filled:
        kind = "model" if context.by else one.kind or "human"
        if kind not in KINDS:
            fail("wrong_type", f"field 'author_kind' is {kind!r}, neither human nor model")
        yield Correction(
            prompt_key=answer.prompt_key,
            response_key=response_key,
            rubric_key=rubric.rubric_key,
            dimension=dimension,
            value=_value(one.value, rubric),
            author=_author(one, context),
            author_kind=kind,
            reason=maybe_text({REASON: one.reason}, REASON),
            made_at=one.made_at or _file_time(context),
        )


def _rubric(about: Row, context: Context) -> Rubric:
    stated = maybe_text(about, RUBRIC_ID)
    if stated:
        key = read_id("rubric", stated)
        if key is None or key not in context.lookup.rubrics:
            fail("unknown_rubric", f"the store has no rubric {stated!r}")
        return context.lookup.rubrics[key]
    name = maybe_text(about, RUBRIC)
    if name is None:
        fail("missing_field", f"neither {RUBRIC_ID!r} nor {RUBRIC!r} says by which rubric")
    found = [rubric for rubric in context.lookup.rubrics.values() if rubric.name == name]
    if len(found) > 1:
        fail("unknown_rubric", f"the store has {len(found)} rubrics {name!r}; say which by {RUBRIC_ID!r}")
    return found[0] if found else Rubric.pointwise(name, number(about, "scale_min"), number(about, "scale_max"))


def _value(value: object, rubric: Rubric) -> float:
    read = read_number(value, SCORE)
    if read.value is None:
        fail("wrong_type", f"field {SCORE!r} is {value!r}, not a number")
    low, high = rubric.scale_min, rubric.scale_max
    if (low is not None and read.value < low) or (high is not None and read.value > high):
        fail("out_of_scale", f"{read.value:g} is not on the scale of {rubric.name!r}, {low} to {high}")
    return read.value


def _author(one: Filled, context: Context) -> str:
    author = one.author or context.by or context.human
    if author is None:
        fail("missing_field", "a correction without its author; fill 'author', or pass --human NAME or --by MODEL")
    check_names(author)
    return author


def _file_time(context: Context) -> datetime:
    return datetime.fromtimestamp(context.path.stat().st_mtime, UTC).replace(tzinfo=None)
