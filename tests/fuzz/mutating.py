"""Hostile inputs from a random generator: values, rows and bytes that files might hold. Each depends on it alone."""

import json
import math

TEXTS = (
    "",
    " ",
    "q",
    "7B",
    "user",
    "assistant",
    "[1]",
    "{}",
    '{"a": 1, "a": 2}',
    "NaN",
    "nan",
    "true",
    "1_000",
    "1e999",
    "²",
    "\0",
    "\ud800",
    "\u202e",
    "a\nb",
    "../../x",
    "'; drop table prompts; --",
    "=1+1",
    "n" * 10_000,
    "[" * 300,
    "\n\nHuman: q\n\nAssistant: a",
    "[The Start of Assistant's Answer]\n",
    "9" * 5_000,
)
NUMBERS = (0, 1, -1, 1.5, 2**31, 2**53 + 1, 2**63, 2**64, 10**400, 1e308, -0.0, math.nan, math.inf, True, False, None)
NAMES = ("role", "content", "turns", "text", "output", "score", "judge", "sample", "value", "model", "", "\ud800")
TOKENS = (
    b"\0",
    b'"',
    b"'",
    b"\\",
    b"\n",
    b"\r",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5_000,
    b"\\ud800",
    b"[" * 200,
    b"]",
    b"{",
    b"}",
    b",",
    b'"a":1,"a":2',
    b"PAR1",
    b"ARROW1",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"\xff" * 8,
    b"\x7f\xff\xff\xff",
)


def any_value(random, depth=3):
    kind = random.random()
    if depth and kind < 0.15:
        return [any_value(random, depth - 1) for _ in range(random.randrange(4))]
    if depth and kind < 0.3:
        return {random.choice(NAMES): any_value(random, depth - 1) for _ in range(random.randrange(4))}
    return random.choice(TEXTS) if kind < 0.65 else random.choice(NUMBERS)


def any_row(random):
    return {
        random.choice((*NAMES, "prompt", "messages", "chosen")): any_value(random) for _ in range(random.randrange(6))
    }


def changed_row(random, row):
    """Return a deep copy of a row with one to three places changed."""
    copy = json.loads(json.dumps(row))
    for _ in range(random.randint(1, 3)):
        _change(random, copy)
    return copy


def _change(random, value):
    """Change one place in a list or object: replace, remove, add, repeat, or go deeper."""
    while value:
        places = list(value) if isinstance(value, dict) else range(len(value))
        place = random.choice(places)
        inner = value[place]
        if isinstance(inner, (dict, list)) and inner and random.random() < 0.6:
            value = inner
            continue
        act = random.random()
        if act < 0.6:
            value[place] = any_value(random)
        elif act < 0.8:
            del value[place]
        elif isinstance(value, list):
            value.append(inner)
        else:
            value[random.choice(NAMES)] = inner
        return


def changed_bytes(random, data):
    """Return bytes with one to four places flipped, cut, repeated or filled with a token that readers stumble on."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at, end = sorted(random.randrange(len(found) + 1) for _ in range(2))
        act = random.random()
        if act < 0.3 and found:
            found[at % len(found)] ^= 1 << random.randrange(8)
        elif act < 0.45:
            del found[at : min(end, at + random.randrange(1, 40))]
        elif act < 0.55:
            found[at:at] = found[at:end][:200]
        elif act < 0.6:
            del found[at:]
        else:
            found[at:at] = random.choice(TOKENS)
    return bytes(found)
