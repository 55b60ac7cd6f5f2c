"""Label Studio's tasks, as its JSON export has them: `id, data{}, annotations[], predictions[]`.

An annotation has `result[]`, each of one control with `from_name, to_name, type, value`. These controls are read, as
annotations.py says: Pairwise (the left one is the first answer), Rating and Number, and Choices where the one choice is
the name of an answer or `tie`. Ranker, TextArea, Taxonomy, labels and several choices are of an unknown type there.
JSON-MIN leaves out who annotated and is not read. `completed_by` is the judge, by e-mail address or number; a
prediction's `model_version` is a model that judges. A cancelled annotation does not count. A control's answer is found
by `to_name` where that is the name of a field in `data`, else by the control's own name.

A task whose `data` names one of the store's answers, as `tso-data export-corrections` writes them, adds neither prompt
nor answer: each annotation's `score`, with the `reason` beside it, is a correction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.annotations import Told, find_answers, find_prompt, read_time, verdicts
from tsodata.importers.context import Context, Row, fail, maybe_text, present, text
from tsodata.importers.corrections import ID, REASON, SCORE, Filled, corrections
from tsodata.importers.verdicts import Judge
from tsodata.records import Origin, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SIDES = ("left", "right")


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, the answers, and what annotators and predictions said of them."""
    data = present(row, "data")
    if not isinstance(data, dict):
        fail("wrong_type", "field 'data' is not an object")
    present(row, "annotations")
    if ID in data:
        yield from corrections(data, list(_filled(row)), context)
        return
    prompt = find_prompt(data, context)
    answers = find_answers(data, {}, prompt=prompt, context=context)
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, maybe_text(row, "id")), *answers.values())
    told: list[Told] = []
    for prediction in _objects(row, "predictions"):
        judge = Judge(maybe_text(prediction, "model_version") or context.judge or context.dataset)
        told += _told(prediction, list(answers), judge)
    for annotation in _objects(row, "annotations"):
        told += _told(annotation, list(answers), _person(annotation, context))
    yield from verdicts(told, answers, context.dataset)


def names(row: Row) -> list[object]:
    """Return the id of the stored answer that a task asks about, where it does."""
    data = row.get("data")
    return [data.get(ID)] if isinstance(data, dict) else []


def _filled(row: Row) -> Iterator[Filled]:
    """Yield what each annotation that was not cancelled says: a score and the reason for it."""
    for annotation in _objects(row, "annotations"):
        said = {text(result, "from_name"): _value(result, ()) for result in _objects(annotation, "result")}
        if annotation.get("was_cancelled") or SCORE not in said:
            continue
        made_at = read_time(annotation.get("updated_at") or annotation.get("created_at"))
        yield Filled(said[SCORE], _annotator(annotation), said.get(REASON), made_at)


def _told(annotation: Row, names: Sequence[str], judge: Judge) -> Iterator[Told]:
    for result in _objects(annotation, "result"):
        yield Told(
            question=text(result, "from_name"),
            value=_value(result, names),
            judge=judge,
            unfit="cancelled" if annotation.get("was_cancelled") else None,
            about=maybe_text(result, "to_name"),
            made_at=read_time(annotation.get("updated_at") or annotation.get("created_at")),
            external_id=maybe_text(annotation, "id"),
        )


def _value(result: Row, names: Sequence[str]) -> object:
    """Return the number or the name of an answer that a control holds, else its value as it is."""
    kind, value = text(result, "type"), present(result, "value")
    if not isinstance(value, dict):
        fail("wrong_type", "the value of a control is not an object")
    if kind == "pairwise" and len(names) == 2 and value.get("selected") in _SIDES:
        return names[_SIDES.index(value["selected"])]
    if kind in ("rating", "number"):
        return value.get(kind)
    if kind == "textarea" and isinstance(value.get("text"), list) and all(isinstance(t, str) for t in value["text"]):
        return "\n".join(value["text"])
    choices = value.get("choices") if kind == "choices" else None
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else value


def _person(annotation: Row, context: Context) -> Judge:
    return Judge(_annotator(annotation) or context.judge or context.dataset, "human")


def _annotator(annotation: Row) -> str | None:
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        return maybe_text(by, "email") or maybe_text(by, "id")
    return maybe_text(annotation, "completed_by")


def _objects(row: Row, name: str) -> list[Row]:
    value = row.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        fail("wrong_type", f"field {name!r} is not a list of objects")
    return value
