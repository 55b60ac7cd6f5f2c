"""Texts of the store as a terminal may show them: controls and marks that turn the reading direction are not obeyed.

Data written for programs (JSON, CSV, Parquet) does not pass through here.
"""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), _SHOWN_AS)
_DIRECTIONS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), _SHOWN_AS)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), _SHOWN_AS)
_BREAKS = {"\n": "⏎", "\t": " ", "\u2028": "⏎", "\u2029": "⏎"}
_SHOWN = str.maketrans({**_CONTROLS, **_DIRECTIONS, **_SURROGATES, **_BREAKS})


def legible(text: str) -> str:
    """Return a text as one line: a line's end shows as ⏎, other controls as the replacement character."""
    return text.replace("\r\n", "\n").translate(_SHOWN)


def say(lines: Iterable[str]) -> None:
    """Print lines for people."""
    print(*map(legible, lines), sep="\n")
