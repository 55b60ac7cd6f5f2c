"""Strict TOML: frozen records from tables, with nothing unknown, nothing missing and nothing of the wrong type.

Knows no setting by name: the fields of a record, with their types, say what a table may hold. Each caller says which
error it refuses with.
"""

from __future__ import annotations

import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from tsodata.errors import TsoError

T = TypeVar("T")


def read_table(path: Path, *, refuse: type[TsoError]) -> dict[str, Any]:
    """Return the table that a TOML file holds.

    Raises:
        refuse: the file cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise refuse(f"{path}: no such file") from None
    except OSError as error:
        raise refuse(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise refuse(f"{path}: not valid TOML: {error}") from error


def read_record(kind: type[T], table: Any, where: str, *, refuse: type[TsoError]) -> T:
    """Return the record of a table; arrays become tuples.

    Raises:
        refuse: it is no table, or holds an unknown name or a value of another type, or lacks one that is needed.
    """
    if not isinstance(table, Mapping):
        raise refuse(f"{where} = {table!r} is not a table")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name, value in table.items():
        if name not in known:
            raise refuse(f"{where}: no setting {name!r}; known are {', '.join(sorted(known))}")
        if not _fits(value, hints[name]):
            raise refuse(f"{where}: {name} = {value!r} is not of the right type")
    missing = [name for name, f in known.items() if _is_needed(f) and name not in table]
    if missing:
        raise refuse(f"{where} needs {', '.join(missing)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in table.items()})


def _is_needed(of: Field[Any]) -> bool:
    return of.default is MISSING and of.default_factory is MISSING


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return value in arguments
    if origin is tuple:  # of one type; how many, the record itself says
        return isinstance(value, (list, tuple)) and all(_fits(item, arguments[0]) for item in value)
    if origin is not None:
        return isinstance(value, Mapping)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
