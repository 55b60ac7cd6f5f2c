"""Several answers to one prompt in one row: what was asked, who answered, which draw of its source an answer is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, messages, present, text
from tsodata.records import Prompt, Source

if TYPE_CHECKING:
    from collections.abc import Sequence


def asked(row: Row, name: str, *, system: str | None = None) -> Prompt:
    """Return the prompt of a field that holds a user's text, or chat turns that end with the user's."""
    if isinstance(present(row, name), list):
        return Prompt(messages(row[name], name))
    return Prompt.of_user(text(row, name), system=system)


def unnamed(context: Context) -> Source:
    """Return the model of a data set that names none: it goes by the data set's name, unless flags place it."""
    return context.model(context.dataset)


def draws(sources: Sequence[Source]) -> list[int]:
    """Return for each answer of a row which draw of its source it is, from 0."""
    seen: Counter[int] = Counter()
    numbers = []
    for source in sources:
        numbers.append(seen[source.source_key])
        seen[source.source_key] += 1
    return numbers


def beside(row: Row, name: str, n_answers: int) -> list[object] | None:
    """Return a list that has one item for each answer, or None where the row has none."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        fail("wrong_type", f"field {name!r} is {type(value).__name__}, not a list")
    if len(value) != n_answers:
        fail("unequal_lengths", f"field {name!r} has {len(value)} items for {n_answers} answers")
    return value
