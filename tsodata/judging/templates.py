"""Templates of a judge's prompt: text with places such as `{answer}`, each filled once and never read again.

What fills a place goes in as it is, so an answer that holds `{reference}`, braces or percent signs stays what it is.
Knows nothing of rubrics: which places there may be comes from the caller.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from tsodata.errors import RubricError
from tsodata.records import Message

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ESCAPED = re.compile(r"(\{\{)|(\}\})|\{([a-z][a-z0-9_]*)\}")


class Piece(NamedTuple):
    """A stretch of a template: plain text, or the name of a place."""

    text: str
    is_place: bool


class Turn(NamedTuple):
    """One message of a template."""

    role: str
    pieces: tuple[Piece, ...]


Template = tuple[Turn, ...]


def read_turn(role: str, text: str, *, escaped: bool = False) -> Turn:
    """Return a message of a template from its text; where `escaped`, doubled braces stand for single ones."""
    pattern = _ESCAPED if escaped else _PLACE
    pieces, end = [], 0
    for match in pattern.finditer(text):
        pieces.append(Piece(text[end : match.start()], is_place=False))
        end = match.end()
        name = match[match.lastindex or 0]
        is_brace = name in {"{{", "}}"}
        pieces.append(Piece(name[0] if is_brace else name, is_place=not is_brace))
    pieces.append(Piece(text[end:], is_place=False))
    return Turn(role, tuple(piece for piece in pieces if piece.text))


def check_places(template: Template, *, known: Collection[str], needed: Collection[str]) -> None:
    """Refuse a template that names a place twice, one that is not known, or not what it needs.

    A question of a conversation may stand twice: MT-Bench shows it with either answer.

    Raises:
        RubricError: it does.
    """
    counted = Counter(places(template))
    for name, n in counted.items():
        if name not in known:
            raise RubricError(f"no place {{{name}}} is known; there are: {', '.join(sorted(known))}")
        if n > 1 and not name.startswith("question_"):
            raise RubricError(f"place {{{name}}} stands {n} times; each place is filled once")
    lacking = sorted(set(needed) - set(counted))
    if lacking:
        raise RubricError(f"the template has no place {', '.join(f'{{{name}}}' for name in lacking)}")


def places(template: Template) -> Iterator[str]:
    """Yield the names of the places, in their order."""
    return (piece.text for turn in template for piece in turn.pieces if piece.is_place)


def renamed(template: Template, names: Mapping[str, str]) -> Template:
    """Return the template with its places under other names."""

    def under(piece: Piece) -> Piece:
        return Piece(names.get(piece.text, piece.text), is_place=True) if piece.is_place else piece

    return tuple(Turn(turn.role, tuple(map(under, turn.pieces))) for turn in template)


def settle(template: Template, values: Mapping[str, str]) -> Template:
    """Return the template with some places filled for good, such as those of a dimension."""

    def filled(piece: Piece) -> Piece:
        return Piece(values[piece.text], is_place=False) if piece.is_place and piece.text in values else piece

    return tuple(Turn(turn.role, tuple(map(filled, turn.pieces))) for turn in template)


def render(template: Template, values: Mapping[str, str]) -> tuple[Message, ...]:
    """Return the messages with every place filled.

    Raises:
        RubricError: a place has no value.
    """
    for name in places(template):
        if name not in values:
            raise RubricError(f"nothing fills the place {{{name}}}")
    return tuple(
        Message(role=turn.role, content="".join(values[p.text] if p.is_place else p.text for p in turn.pieces))
        for turn in template
    )


def template_text(template: Template) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the template as plain data: what is hashed into a rubric, where a place and its name in text differ."""
    return [
        (turn.role, [("place" if piece.is_place else "text", piece.text) for piece in _joined(turn.pieces)])
        for turn in template
    ]


def _joined(pieces: tuple[Piece, ...]) -> list[Piece]:
    """Return the pieces with neighbouring texts as one, so that how a text came together does not show."""
    found: list[Piece] = []
    for piece in pieces:
        if found and not piece.is_place and not found[-1].is_place:
            found[-1] = Piece(found[-1].text + piece.text, is_place=False)
        elif piece.text:
            found.append(piece)
    return found
