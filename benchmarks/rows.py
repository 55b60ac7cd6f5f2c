"""The content keys of a row to import, as somebody would write them who needs the same keys without the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def keys_of_row(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return the key of the prompt and the key of the answer."""
    prompt = _key("prompt", [["user", row["prompt"]]])
    if row["human"]:
        source = _key("source", "human", "human", None, None)
    else:
        source = _key("source", "model", row["family"], row["version"], float(row["size"]))
    return prompt, _key("response", prompt, source, row["response"], row["sample"], None)


def _key(*parts: object) -> int:
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
