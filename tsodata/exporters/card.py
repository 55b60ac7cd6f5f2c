"""The README.md beside JSON lines, whose head tells `datasets` the types of the columns.

JSON carries no types: a column that begins with nulls is taken for a column of nulls, and the first score in it then
fails. Parquet needs no such help. The head names no files: where it does, `datasets` 5.2 forgets their times and serves
an older export of the same directory name from its cache.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

CARD_NAME = "README.md"


def card_bytes(schema: pa.Schema) -> bytes:
    """Return the card of a data set with these columns; its head is YAML, written as JSON."""
    head = {"dataset_info": {"features": [_feature(field) for field in schema]}}
    return f"---\n{json.dumps(head, indent=2)}\n---\n".encode()


def _feature(field: pa.Field) -> dict[str, object]:
    import pyarrow as pa

    if pa.types.is_list(field.type):
        return {"name": field.name, "list": [_feature(inner) for inner in field.type.value_type.fields]}
    return {"name": field.name, "dtype": {"double": "float64"}.get(str(field.type), str(field.type))}
