"""An engine's own settings, from `NAME=VALUE` texts to a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

from tsodata.errors import UsageError

S = TypeVar("S")
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def read_settings(kind: type[S], texts: Mapping[str, str], *, engine: str) -> S:
    """Return the settings that texts name, the others at their defaults; names may have dashes.

    Raises:
        UsageError: no setting goes by a name, or a value is not of its type.
    """
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    given: dict[str, object] = {}
    for name, text in texts.items():
        field = known.get(name.replace("-", "_"))
        if field is None:
            names = ", ".join(name.replace("_", "-") for name in known)
            raise UsageError(f"engine {engine} takes no setting {name!r}; it takes {names}")
        given[field.name] = _value(field, text, f"engine {engine}: {name}={text}")
    return kind(**given)


def _value(field: Field[Any], text: str, what: str) -> object:
    wanted = str(field.type).removesuffix(" | None")
    if wanted == "bool":
        if text.lower() not in _FLAGS:
            raise UsageError(f"{what} is neither true nor false")
        return _FLAGS[text.lower()]
    if wanted not in {"int", "float"}:
        return text
    try:
        number = int(text) if wanted == "int" else float(text)
    except ValueError as error:
        raise UsageError(f"{what} is no number") from error
    if not number > 0:
        raise UsageError(f"{what} is not above zero")
    return number
