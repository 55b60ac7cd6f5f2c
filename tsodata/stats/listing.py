"""From a SQL file to a statement that stands alone: values filled in as literals, for a view or for a person to run.

A listing is a file of sql/stats: one row per thing that counts, with columns for figures to be read from. Knows which
text to make of it, and runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsodata import queries

SCORES_TABLE = "answer_scores"
N_BLOCKS = 1024  # as in sql/summaries/draws.sql
_SCORES = f"stats/{SCORES_TABLE}"
_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class Listing:
    """A SQL file with the values of its parameters; values that it does not take are left alone.

    `under` are the tables that it reads and the store has not, by name, each after those that it reads itself.
    """

    path: str
    values: Mapping[str, object]
    under: tuple[tuple[str, Listing], ...] = ()

    @property
    def is_on_scores(self) -> bool:
        """Return whether it reads the table of answers' scores, which is made before it."""
        return SCORES_TABLE in queries.load(self.path).sql

    def body(self) -> str:
        """Return the SELECT without its order."""
        return self._parts()[0]

    def statement(self, column: str, subject: Mapping[str, str]) -> str:
        """Return a statement that lists the rows with a value in a column, the highest first, of one subject."""
        body, order = self._parts()
        question = queries.load(self.path).question.splitlines()[0]
        conditions = [f"{name} = {literal(value)}" for name, value in subject.items()]
        where = " and ".join([f"{column} is not null", *conditions])
        first = [] if column in order.split(", ") else [f"{column} desc"]
        tables = [f"{name} as (\n{listing.body()}\n)" for name, listing in self.under]
        tables.append(f"listed as (\n{body}\n)")
        if self.is_on_scores:
            tables.insert(0, f"{SCORES_TABLE} as (\n{Listing(_SCORES, self.values).body()}\n)")
        return (
            f"/* {question} */\nwith {', '.join(tables)}\nselect * exclude (prompt_key) from listed\nwhere {where}\n"
            f"order by {', '.join([*first, order])}"
        )

    def _parts(self) -> tuple[str, str]:
        query = queries.load(self.path)
        given = {parameter.name: self.values[parameter.name] for parameter in query.parameters}
        lines = [line for line in query.sql.splitlines() if not line.startswith("--")]
        filled = _PARAMETER.sub(lambda match: literal(given[match[1]]), "\n".join(lines))
        body, _, order = filled.strip().rpartition("\norder by ")
        return body, order


def rows_text(rows: str, column: str, by: Sequence[str], *, others: Mapping[str, str]) -> str:
    """Return a SELECT of `subject`, `prompt_key`, `value`, and other columns renamed, over a listing's rows."""
    more = "".join(f", {other}::double as {name}" for name, other in others.items())
    return (
        f"select {_subject(by)} as subject, prompt_key, {column}::double as value{more} "
        f"from {rows} where {column} is not null"
    )


def blocks_text(rows: str, column: str, by: Sequence[str]) -> str:
    """Return a SELECT of `n` and `total` of a column for each subject and block of prompts, over a listing's rows."""
    columns = [*by, f"prompt_key % {N_BLOCKS} as block", "count(*) as n", f"fsum({column}::double) as total"]
    return (
        f"select {_subject(by)} as subject, block, n, total from (select {', '.join(columns)} "
        f"from {rows} where {column} is not null group by {', '.join([*by, 'block'])})"
    )


def named_subject(subject: str | Sequence[str], by: Sequence[str]) -> dict[str, str]:
    """Return a subject by the names of its columns: one text for one column, several for several."""
    values = [subject] if isinstance(subject, str) else subject
    return dict(zip(by, values, strict=True)) if by else {}


def _subject(by: Sequence[str]) -> str:
    if not by:
        return "''"
    return f"[{', '.join(by)}]" if len(by) > 1 else by[0]


def literal(value: object) -> str:
    """Return a value as SQL text: nothing, a boolean, a number, a text or a list of these.

    Raises:
        TypeError: the value is of another kind.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value!r}::double"  # a bare 0.1 would be a decimal
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Sequence):
        return f"[{', '.join(literal(item) for item in value)}]"
    raise TypeError(f"{type(value).__name__} has no place in SQL")
