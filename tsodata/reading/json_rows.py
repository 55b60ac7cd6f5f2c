"""Rows of JSON lines and of JSON arrays, one at a time.

Keys that stand twice in an object are refused: Python's parser would keep the last in silence. NaN, infinities and
numbers too large for a float arrive as floats that are not finite, which no field of an importer takes; a field that
nobody asks for may hold them, as pandas writes them for nothing.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from tsodata.errors import ImportRefusedError
from tsodata.reading.limits import Limits, oversize
from tsodata.reading.rows import RawRow
from tsodata.reading.unpacking import BLOCK_BYTES

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MAX_DIGITS = 4_000  # of a whole number; Python itself stops at 4300
_BLANKS = " \t\n\r"
_BLANK = re.compile(f"[{_BLANKS}]*")
_LONGEST_TOKEN = 12  # \uD83D\uDE00: an error that far from the end of the text is not one of a text that is cut


class _Parser:
    """Parses values one at a time.

    `flaw` says what is wrong with a value although it could be read, `n_objects` how many objects it holds.
    """

    def __init__(self) -> None:
        self.flaw: str | None = None
        self.n_objects = 0
        decoder: Any = json.JSONDecoder(object_pairs_hook=self._object, parse_int=self._int)
        self.scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # as raw_decode, less a call per row
        self.raw_decode = decoder.raw_decode

    def forget(self) -> None:
        """Forget the last value."""
        self.flaw, self.n_objects = None, 0

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        self.n_objects += 1
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            self.flaw = f"the key {_twin(names)!r} stands twice in an object"
        return value

    def _int(self, text: str) -> int:
        if len(text) > _MAX_DIGITS:
            self.flaw = f"a number of {len(text)} digits"
            return 0
        return int(text)


def _twin(names: list[str]) -> str:
    return next(name for position, name in enumerate(names) if name in names[:position])


def parse_json(text: str, limits: Limits | None = None) -> Any:
    """Return the value of a JSON text, read as a file is.

    Raises:
        ValueError: it is none, or holds what no row may hold.
    """
    parser = _Parser()
    start = len(text) - len(text.lstrip(_BLANKS))
    try:
        value, end = parser.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if text[end:].strip(_BLANKS):
        raise ValueError(f"data behind the value at character {end + 1}")
    problem = parser.flaw or oversize({"value": value}, limits or Limits())
    if problem:
        raise ValueError(problem)
    return value


def iter_json(path: Path, file: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    """Yield the rows of JSON lines, or of the array that a file holds if its first character is [.

    Raises:
        ImportRefusedError: an array is not valid JSON, or one of its rows is beyond `limits.row_bytes`.
    """
    n_blank_lines = 0
    while (byte := file.peek(1)[:1]) and byte.isspace():
        n_blank_lines += byte == b"\n"
        file.read(1)
    yield from _iter_array(path, file, limits) if byte == b"[" else _iter_lines(file, n_blank_lines + 1, limits)


def _iter_lines(file: io.BufferedReader, first_line: int, limits: Limits) -> Iterator[RawRow]:
    parser, most = _Parser(), limits.row_bytes
    number = first_line - 1
    while line := file.readline(most + 1):
        number += 1
        if len(line) > most and line[-1:] != b"\n":
            _skip_line(file)
            yield RawRow(number, None, f"more than {most} bytes, the most that a row may have")
            continue
        try:
            text = line.decode()
            parser.n_objects = 0
            value, end = parser.scan(text, 0)
        except (ValueError, RecursionError, StopIteration):
            parser.forget()
            if not line.isspace():
                yield _reread(line, number, limits)
            continue
        if end < len(text) - 1 and text[end:].strip(_BLANKS):
            parser.forget()
            yield RawRow(number, None, f"not valid JSON: data behind the value at character {end + 1}")
        else:
            yield _as_row(value, number, parser=parser, text=text, limits=limits)


def _skip_line(file: io.BufferedReader) -> None:
    while (rest := file.readline(BLOCK_BYTES)) and not rest.endswith(b"\n"):
        pass


def _reread(line: bytes, number: int, limits: Limits) -> RawRow:
    """Return the row of a line that is not plainly a value: behind blanks there may be one, else the reason why not."""
    parser = _Parser()
    try:
        text = line.rstrip(b"\r\n").decode()
        value, end = parser.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
    except UnicodeDecodeError as error:
        return RawRow(number, None, f"not UTF-8 at byte {error.start + 1} of the line")
    except RecursionError:
        return RawRow(number, None, f"nested more than {limits.depth} deep")
    except ValueError as error:
        return RawRow(number, None, f"not valid JSON: {error}")
    if text[end:].strip(_BLANKS):
        return RawRow(number, None, f"not valid JSON: data behind the value at character {end + 1}")
    return _as_row(value, number, parser=parser, text=text, limits=limits)


def _as_row(value: object, number: int, *, parser: _Parser, text: str, limits: Limits) -> RawRow:
    if parser.flaw:
        flaw = parser.flaw
        parser.forget()
        return RawRow(number, None, f"not usable JSON: {flaw}")
    if not isinstance(value, dict):
        return RawRow(number, None, f"not a JSON object but {type(value).__name__}")
    half = limits.depth // 2  # what is nested deeper than the limit has more than half as many objects, or lists
    is_large = (
        len(value) > limits.columns
        or parser.n_objects > half
        or len(text) > limits.string_chars
        or (text.find("[", text.find("[") + 1) > 0 and text.count("[") > half)
    )
    problem = oversize(value, limits) if is_large else None
    return RawRow(number, None, problem) if problem else RawRow(number, value)


def _iter_array(path: Path, file: io.BufferedReader, limits: Limits) -> Iterator[RawRow]:
    window = _Window(path, file, limits)
    window.take("[")
    if window.peek() == "]":
        window.take("]")
    else:
        while True:
            yield window.row()
            if window.take(",]") == "]":
                break
    if window.peek():
        raise window.refusal("data behind the array's end")


class _Window:
    """The part of an array's text that is in memory: from the row that is next, a block or so."""

    def __init__(self, path: Path, file: io.BufferedReader, limits: Limits) -> None:
        self._path, self._file, self._limits = path, file, limits
        self._parser = _Parser()
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._position, self._is_whole = "", 0, False
        self._number = 0

    def peek(self) -> str:
        """Return the next character that is not blank, or nothing at the end."""
        while True:
            match = _BLANK.match(self._text, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._text) or self._is_whole:
                return self._text[self._position : self._position + 1]
            self._read_on()

    def take(self, marks: str) -> str:
        """Return the next character, which must be one of some."""
        mark = self.peek()
        if not mark or mark not in marks:
            found = repr(mark) if mark else "the end of the file"
            raise self.refusal(f"{' or '.join(marks)} expected, but {found} found")
        self._position += 1
        return mark

    def row(self) -> RawRow:
        """Return the next row."""
        self._number += 1
        self._parser.forget()
        value, end = self._value()
        text, self._position = self._text[self._position : end], end
        return _as_row(value, self._number, parser=self._parser, text=text, limits=self._limits)

    def _value(self) -> tuple[object, int]:
        self.peek()
        while True:
            try:
                value, end = self._parser.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if self._is_whole or not self._may_be_cut(error):
                    raise self.refusal(error.msg) from error
            except RecursionError:
                raise self.refusal(f"nested more than {self._limits.depth} deep") from None
            else:
                if end < len(self._text) or self._is_whole:  # a number at the end of the window may go on behind it
                    return value, end
            self._read_on()

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos + _LONGEST_TOKEN >= len(self._text)

    def _read_on(self) -> None:
        rest = self._text[self._position :]
        if len(rest) > self._limits.row_bytes:
            raise self.refusal(f"more than {self._limits.row_bytes} bytes, the most that a row may have")
        block = self._file.read(max(BLOCK_BYTES, len(rest)))  # twice as much each time: a long row is parsed few times
        self._text, self._position = rest + self._decode(block, final=not block), 0
        self._is_whole = not block

    def refusal(self, reason: str) -> ImportRefusedError:
        """Return the error of an array that cannot be read on: behind a broken row no other can be told."""
        return ImportRefusedError(f"{self._path}: not valid JSON: {reason} (behind {self._number} rows)")
