"""Sizes of models: billions of parameters, as people type and read them."""

from __future__ import annotations

import re
from decimal import Decimal

_SIZE = re.compile(r"^(\d+(?:\.\d+)?(?:e-?\d{1,2})?)\s*([KMBT]?)$", re.IGNORECASE)
_EXPONENTS = {"K": -6, "M": -3, "": 0, "B": 0, "T": 3}


def parse_size(text: str | float | None) -> float | None:
    """Return billions of parameters: '7', '7B' and 7 are 7.0, '350M' is 0.35, '4e-05' is 40K, nothing is None.

    Raises:
        ValueError: the text is not a size.
    """
    if text is None or str(text).strip() in ("", "-"):
        return None
    match = _SIZE.match(str(text).strip())
    if not match or not float(match[1]) > 0:
        raise ValueError(f"size {text!r} is not a number of parameters such as 7, 7B or 350M")
    return float(Decimal(match[1]).scaleb(_EXPONENTS[match[2].upper()]))


def format_size(size_b: float | None) -> str:
    """Return a size as people type it: 13, 1.3, or - where it is not known."""
    return "-" if size_b is None else f"{size_b:g}"
