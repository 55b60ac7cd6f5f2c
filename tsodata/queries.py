"""Finds the SQL files and reads their headers; the one place that knows where they are.

A file is one SELECT under a header:

    -- The question in one line, or a few.
    -- params: $name type [= default]: what it is      (one a line; `none` where there are none)
    -- rows:   what one row is, and the order
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from tsodata.errors import QueryError, UnknownNameError

_PARAM = re.compile(r"^\$(\w+) ([a-z]+(?:\[\])?)(?: = (\S+?))?(?:: (.*))?$")
_CASTS = {"varchar": str, "integer": int, "bigint": int, "double": float}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One `$name` of a query: its SQL type, its default as text, what it is."""

    name: str
    type: str
    default: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL file, read."""

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    rows: str
    sql: str

    def bind(self, given: dict[str, str]) -> dict[str, object]:
        """Return the parameters of a call from texts, defaults filled in.

        Raises:
            QueryError: one is missing, not known, or not of its type.
        """
        known = {p.name: p for p in self.parameters}
        for name in given:
            if name not in known:
                takes = ", ".join(known) or "none"
                raise QueryError(f"query {self.name} has no parameter {name!r}; it takes: {takes}")
        return {name: _cast(self, parameter, given.get(name)) for name, parameter in known.items()}


def _cast(query: Query, parameter: Parameter, given: str | None) -> object:
    text = parameter.default if given is None else given
    if text is None:
        meaning = f" ({parameter.meaning})" if parameter.meaning else ""
        raise QueryError(f"query {query.name} needs -p {parameter.name}=…{meaning}")
    if text == "null" and given is None:
        return None
    try:
        return _CASTS[parameter.type](text)
    except ValueError:
        raise QueryError(f"query {query.name}: {parameter.name}={text!r} is not of type {parameter.type}") from None


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One file of the schema, in the order of its number."""

    seq: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the hash under which the file is recorded in a store."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def sql_root() -> Traversable:
    """Return the folder of the SQL files, wherever the package is installed."""
    return resources.files("tsodata._sql")


def schema_files(root: Traversable | None = None) -> list[SchemaFile]:
    """Return the schema in order, counted from 1 without a gap."""
    folder = (root or sql_root()) / "schema"
    entries = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    files = [SchemaFile(int(e.name.split("_")[0]), e.name, e.read_text(encoding="utf-8")) for e in entries]
    for position, file in enumerate(files, 1):
        if file.seq != position:
            raise QueryError(f"schema file {file.name} stands at position {position}: a file is missing; reinstall tso")
    return files


@cache
def load(path: str) -> Query:
    """Return the query of a file, named as 'pairs/eligible' for sql/pairs/eligible.sql.

    Raises:
        UnknownNameError: there is no such file.
    """
    *folders, name = path.split("/")
    entry = sql_root()
    for part in (*folders, f"{name}.sql"):
        entry = entry / part
    if not entry.is_file():
        raise UnknownNameError(f"no query {path!r}; tso-data query --list shows them")
    return parse(path, entry.read_text(encoding="utf-8"))


def named(name: str) -> Query:
    """Return one of the queries that people call by name."""
    if name not in names():
        raise UnknownNameError(f"no query {name!r}; tso-data query --list shows them")
    return load(f"queries/{name}")


def names(folder: str = "queries") -> list[str]:
    """Return the names of the files of a folder; without one, of the queries that people can call."""
    entries = (sql_root() / folder).iterdir()
    return sorted(entry.name.removesuffix(".sql") for entry in entries if entry.name.endswith(".sql"))


def parse(name: str, text: str) -> Query:
    """Return a query from the text of its file."""
    header = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        header.append(line[2:].strip())
    joined = "\n".join(header)
    match = re.match(r"(?s)(.*?)\nparams:(.*?)\nrows:(.*)$", joined)
    if not match:
        raise QueryError(f"{name}.sql: the header needs a question, params: and rows:")
    question, params, rows = (part.strip() for part in match.groups())
    return Query(name.rsplit("/", maxsplit=1)[-1], question, _parameters(name, params), " ".join(rows.split()), text)


def _parameters(name: str, text: str) -> tuple[Parameter, ...]:
    if text == "none":
        return ()
    parameters = []
    for line in text.splitlines():
        match = _PARAM.match(line.strip())
        if not match:
            raise QueryError(f"{name}.sql: cannot read the parameter line {line!r}")
        parameters.append(Parameter(match[1], match[2], match[3], match[4] or ""))
    return tuple(parameters)
