"""What a judge's words say: pure functions, each under a name with its version, such as `score-line/2`.

A parser reads the completion alone, never the prompt. It gives a number on the scale, or none and the reason why; a
failure is never a number (AlignBench and FastChat write -1, lighteval 0). A parser that has read stored words is never
changed: what it should have done is a new version, and `tso-data reparse` tells what that would change.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from tsodata.errors import UnknownNameError

OVERALL = "overall"
PREFERENCE = "preference"


class Reason(StrEnum):
    """Why words hold no number."""

    NO_SCORE = "no_score"
    OUT_OF_RANGE = "out_of_range"
    AMBIGUOUS = "ambiguous"
    TRUNCATED = "truncated"
    REFUSED = "refused"


class Reading(NamedTuple):
    """A number, or None and the reason why there is none."""

    value: float | None
    reason: Reason | None = None


class Asked(NamedTuple):
    """What a parser may know besides the words: the scale, the dimensions asked for, whether the words were cut off."""

    scale: tuple[float, float]
    dimensions: tuple[str, ...] = (OVERALL,)
    is_cut: bool = False


Parser = Callable[[str, Asked], dict[str, Reading]]

_LABEL = re.compile(r"(?<![a-z])(?:score|评分|分数)[ \t]{0,20}[:\uff1a]", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_SCORE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?)\s{0,20}(?:分)?[.。]?")
_SCORE_OF = re.compile(
    r"([0-9]{1,2}(?:\.[0-9]{1,2})?)\s{0,20}(?:分)?(?:\s{0,20}(?:/|out of)\s{0,20}([0-9]{1,2}(?:\.0)?))?[.。]?",
    re.IGNORECASE,
)
_MARKS = str.maketrans("", "", "*_`#[]")  # what Markdown puts around a score
_RATING = re.compile(r"\[\[\s{0,20}(-?[0-9]{1,12}(?:\.[0-9]{0,12})?)\s{0,20}\]\]")
_RATING_ONCE = re.compile(r"\[\s{0,20}(-?[0-9]{1,12}(?:\.[0-9]{0,12})?)\s{0,20}\]")
_VERDICT = re.compile(r"\[\[([AB<>=]{1,8})\]\]")
_LEVELS = {"A>>B": 1.0, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0.0}
_LETTER = re.compile(r"\[\[([ABC])\]\]")
_LETTERS = {"A": 1.0, "C": 0.5, "B": 0.0}
_DICT = re.compile(r"\{([^{}]{0,4000})\}")
_QUOTES = r"'\"\u2018\u2019\u201c\u201d"
_ENTRY = re.compile(
    rf"[{_QUOTES}]([^{_QUOTES}:\uff1a]{{1,60}})[{_QUOTES}]\s{{0,20}}[:\uff1a]\s{{0,20}}(-?[0-9]{{1,12}}(?:\.[0-9]{{1,12}})?)"
)
_OVERALL_NAMES = (OVERALL, "综合得分")
_REFUSAL = re.compile(
    r"\bI(?:['\u2019]m| am) (?:sorry|unable)|\bI (?:cannot|can['\u2019]t|won['\u2019]t|am not able to)|\bas an AI\b"
    r"|抱歉|无法(?:评|提供|完成)",
    re.IGNORECASE,
)


def read_score_line(words: str, asked: Asked) -> dict[str, Reading]:
    """Read `Score: 8.0` (评分, 分数) where it ends the words: one or two digits and up to two decimals.

    The format of Sec. 3.2 and App. D.2 of the paper. Of several lines the last counts.
    """
    return dict.fromkeys(asked.dimensions, _score_line(words, asked, _SCORE))


def read_marked_score_line(words: str, asked: Asked) -> dict[str, Reading]:
    """Read as `read_score_line`, also within Markdown's marks and before `/10`, where 10 is the scale's end."""
    return dict.fromkeys(asked.dimensions, _score_line(words.translate(_MARKS), asked, _SCORE_OF))


def _score_line(words: str, asked: Asked, grammar: re.Pattern[str]) -> Reading:
    if asked.is_cut:
        return Reading(None, Reason.TRUNCATED)
    ends = [label.end() for label in _LABEL.finditer(words)]
    if not ends:
        return _nothing(words)
    tail = words[ends[-1] :].strip()
    match = grammar.fullmatch(tail)
    if match:
        if grammar.groups > 1 and match[2] is not None and float(match[2]) != asked.scale[1]:
            return Reading(None, Reason.AMBIGUOUS)
        return _on_scale(match[1], asked)
    numbers = _NUMBER.findall(tail[:400])
    if len(numbers) > 1:
        return Reading(None, Reason.AMBIGUOUS)
    if numbers and tail == numbers[0]:  # a number and nothing else, and not of the form: -1, 100, 8.125
        return _on_scale(numbers[0], asked, otherwise=Reason.NO_SCORE)
    return _nothing(words)


def read_rating(words: str, asked: Asked) -> dict[str, Reading]:
    """Read MT-Bench's `[[8]]`, else `[8]`, as FastChat does; two different ratings are none."""
    if asked.is_cut:
        return dict.fromkeys(asked.dimensions, Reading(None, Reason.TRUNCATED))
    found = _RATING.findall(words) or _RATING_ONCE.findall(words)
    return dict.fromkeys(asked.dimensions, _only(found, words, lambda text: _on_scale(text, asked)))


def read_verdict(words: str, asked: Asked) -> dict[str, Reading]:
    """Read Arena-Hard's `[[A>>B]]` in five levels: 1 is the answer shown first, 0 the second, 0.5 a tie."""
    return {PREFERENCE: _choice(words, asked, _VERDICT, _LEVELS)}


def read_letter(words: str, asked: Asked) -> dict[str, Reading]:
    """Read MT-Bench's `[[A]]`, `[[B]]`, or `[[C]]` for a tie."""
    return {PREFERENCE: _choice(words, asked, _LETTER, _LETTERS)}


def _choice(words: str, asked: Asked, pattern: re.Pattern[str], levels: Mapping[str, float]) -> Reading:
    if asked.is_cut:
        return Reading(None, Reason.TRUNCATED)

    def level(text: str) -> Reading:
        return Reading(levels[text]) if text in levels else Reading(None, Reason.NO_SCORE)

    return _only(pattern.findall(words), words, level)


def _only(found: list[str], words: str, read: Callable[[str], Reading]) -> Reading:
    """Return what the only thing found says; the same thing twice is one."""
    if not found:
        return _nothing(words)
    readings = {read(text) for text in found}
    return readings.pop() if len(readings) == 1 else Reading(None, Reason.AMBIGUOUS)


def read_first_token(words: str, asked: Asked) -> dict[str, Reading]:
    """Read how much `m` (shown first) is preferred over `M` from the log-probabilities of one token.

    p(m) / (p(m) + p(M)), as AlpacaEval 2 does; a token that is not among the likeliest has no probability. The words
    are the completion as JSON: `{"logprobs": {"content": [{"top_logprobs": [{"token": …, "logprob": …}]}]}}`.
    """
    del asked  # the only token is never cut off
    try:
        likeliest = _likeliest(json.loads(words))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return {PREFERENCE: Reading(None, Reason.NO_SCORE)}
    first, second = (likeliest.get(token, 0.0) for token in ("m", "M"))
    if first + second == 0:
        return {PREFERENCE: Reading(None, Reason.NO_SCORE)}
    return {PREFERENCE: Reading(first / (first + second))}


def _likeliest(completion: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for choice in completion["logprobs"]["content"][0]["top_logprobs"]:
        token, logprob = choice["token"], float(choice["logprob"])
        if math.isfinite(logprob) and logprob <= 0:
            found.setdefault(str(token), math.exp(logprob))
    return found


def read_dictionary(words: str, asked: Asked) -> dict[str, Reading]:
    """Read AlignBench's last `{'事实正确性': 9, …, '综合得分': 7}`; the overall score is the dimension `overall`."""
    if asked.is_cut:
        return dict.fromkeys(asked.dimensions, Reading(None, Reason.TRUNCATED))
    groups = [_ENTRY.findall(group) for group in _DICT.findall(words)]
    entries: list[tuple[str, str]] = next((entries for entries in reversed(groups) if entries), [])
    found: dict[str, set[Reading]] = {}
    for name, number in entries:
        dimension = OVERALL if name.strip() in _OVERALL_NAMES else name.strip()
        found.setdefault(dimension, set()).add(_on_scale(number, asked))
    return {dimension: _agreed(found.get(dimension, set()), words) for dimension in asked.dimensions}


def _agreed(readings: set[Reading], words: str) -> Reading:
    if not readings:
        return _nothing(words)
    return next(iter(readings)) if len(readings) == 1 else Reading(None, Reason.AMBIGUOUS)


def _on_scale(text: str, asked: Asked, *, otherwise: Reason | None = None) -> Reading:
    value = float(text)
    low, high = asked.scale
    if not low <= value <= high:
        return Reading(None, Reason.OUT_OF_RANGE)
    return Reading(value) if otherwise is None else Reading(None, otherwise)


def _nothing(words: str) -> Reading:
    return Reading(None, Reason.REFUSED if _REFUSAL.search(words[:600]) else Reason.NO_SCORE)


PARSERS: Mapping[str, Parser] = {
    "score-line/1": read_score_line,
    "score-line/2": read_marked_score_line,
    "mt-bench/1": read_rating,
    "verdict/1": read_verdict,
    "letter/1": read_letter,
    "first-token/1": read_first_token,
    "dictionary/1": read_dictionary,
}


def find_parser(name: str) -> Parser:
    """Return a parser by its name with version.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in PARSERS:
        raise UnknownNameError(f"no parser {name!r}; there are: {', '.join(PARSERS)}")
    return PARSERS[name]


def parser_version(name: str) -> int:
    """Return the number after the slash; 0 for what others have read, such as `imported` or `fastchat`."""
    _, _, version = name.rpartition("/")
    return int(version) if "/" in name and version.isascii() and version.isdigit() else 0
