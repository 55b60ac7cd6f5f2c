"""What people fill in: sheets as CSV and JSON lines, and projects for Argilla and Label Studio.

Every kind carries the answer's id and the hash of its text, so that an import can tell which answer was meant and
whether it is still the same. A sheet's cells that a spreadsheet would run as a formula begin with an apostrophe; they
are not read back.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from xml.sax.saxutils import quoteattr

from tsodata.correcting.offering import Offer
from tsodata.errors import UsageError
from tsodata.importers.corrections import DIMENSION, ID, REASON, RUBRIC_ID, SCORE, TEXT_ID

Files = Mapping[str, bytes]
FORMULA = r"^[=+\-@\t\r]"  # what spreadsheets take for a formula, or for blanks before one (OWASP, CSV injection)
_TO_FILL = (SCORE, REASON, "author", "made_at")
_ABOUT = (ID, TEXT_ID, RUBRIC_ID, DIMENSION)
_ARGILLA_HIGHEST = 10  # ratings there are whole numbers from 0 to 10


@dataclass(frozen=True, slots=True)
class SheetKind:
    """A way out for people: `files` returns contents by name; one without a name is the file that was asked for."""

    says: str
    files: Callable[[Sequence[Offer]], Files]
    is_folder: bool = False


def _rows(offers: Sequence[Offer]) -> list[dict[str, object]]:
    return [{**offer._asdict(), **dict.fromkeys(_TO_FILL)} for offer in offers]


def _jsonl(offers: Sequence[Offer]) -> Files:
    return {"": "".join(_line(row) + "\n" for row in _rows(offers)).encode()}


def _csv(offers: Sequence[Offer]) -> Files:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*Offer._fields, *_TO_FILL], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in _rows(offers))
    return {"": text.getvalue().encode()}


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and re.match(FORMULA, value) else value


def _argilla(offers: Sequence[Offer]) -> Files:
    low, high = _scale(offers)
    if low != int(low) or high != int(high) or low < 0 or high > _ARGILLA_HIGHEST:
        raise UsageError(
            f"Argilla rates in whole numbers from 0 to {_ARGILLA_HIGHEST}, and this scale is {low:g} to {high:g}; "
            "write --to label-studio, csv or jsonl"
        )
    fields = ("prompt", "answer", DIMENSION, "judgement")
    settings = {
        "guidelines": _guidelines(offers[0]),
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "fields": [
            {"name": name, "title": name.capitalize(), "required": name != "judgement", "settings": {"type": "text"}}
            for name in fields
        ],
        "questions": [
            {
                "name": SCORE,
                "title": "Score",
                "required": True,
                "settings": {"type": "rating", "options": [{"value": n} for n in range(int(low), int(high) + 1)]},
            },
            {"name": REASON, "title": "Reason", "required": False, "settings": {"type": "text"}},
        ],
        "metadata": [],
        "vectors": [],
    }
    records = [
        {
            "id": f"{offer.response_id}/{offer.dimension}",
            "fields": {name: value for name, value in _shown(offer).items() if value},
            "metadata": _about(offer),
            "suggestions": {},
            "responses": {},
        }
        for offer in offers
    ]
    return {"settings.json": _document(settings), "records.json": _document(records)}


def _label_studio(offers: Sequence[Offer]) -> Files:
    low, high = _scale(offers)
    config = f"""\
<View>
  <Header value="$dimension"/>
  <Header value={quoteattr(_guidelines(offers[0]))} size="5"/>
  <Text name="prompt" value="$prompt"/>
  <Text name="answer" value="$answer"/>
  <Text name="judgement" value="$judgement"/>
  <Number name="{SCORE}" toName="answer" min="{low:g}" max="{high:g}" step="0.1" required="true"/>
  <TextArea name="{REASON}" toName="answer" placeholder="Why" rows="3" maxSubmissions="1"/>
</View>
"""
    tasks = [{"data": {**_shown(offer), **_about(offer)}} for offer in offers]
    return {"config.xml": config.encode(), "tasks.json": _document(tasks)}


def _shown(offer: Offer) -> dict[str, str]:
    words = f"{offer.judge_score:g}\n\n{offer.judge_words}" if offer.judge_words else f"{offer.judge_score:g}"
    return {"prompt": offer.prompt, "answer": offer.answer, DIMENSION: offer.dimension, "judgement": words}


def _about(offer: Offer) -> dict[str, str]:
    return {name: getattr(offer, name) for name in _ABOUT}


def _scale(offers: Sequence[Offer]) -> tuple[float, float]:
    scales = {(offer.scale_min, offer.scale_max) for offer in offers}
    low, high = scales.pop()
    if scales or low is None or high is None:
        raise UsageError(f"{offers[0].rubric}: not one scale to rate on; write --to csv or jsonl")
    return low, high


def _guidelines(offer: Offer) -> str:
    return (
        f"Score the answer in the stated dimension on the scale of {offer.rubric}, {offer.scale_min:g} to "
        f"{offer.scale_max:g}, and say why. The judgement is a model's and may be wrong."
    )


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _document(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


KINDS: Mapping[str, SheetKind] = MappingProxyType(
    {
        "csv": SheetKind("a sheet for spreadsheets: fill score, reason, author", _csv),
        "jsonl": SheetKind("the same rows as JSON lines", _jsonl),
        "argilla": SheetKind("Argilla 2: settings.json and records.json", _argilla, is_folder=True),
        "label-studio": SheetKind("Label Studio: config.xml and tasks.json", _label_studio, is_folder=True),
    }
)


def find_kind(name: str) -> SheetKind:
    """Return the kind of sheet of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in KINDS:
        raise UsageError(f"no kind of sheet {name!r}; known are {', '.join(KINDS)}")
    return KINDS[name]
