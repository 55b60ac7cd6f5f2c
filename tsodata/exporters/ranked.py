"""Ranked lists for RRHF and PRO: a prompt, and its answers with the best first.

Answers of one prompt with equal texts are one answer, at the better place, and a prompt with one answer left ranks
nothing; both are refused. A score is null where the recipe ranked without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import turns_type

if TYPE_CHECKING:
    import pyarrow as pa

USAGE = """\
The lists of a row run side by side: `responses[0]` is the best answer, `scores[0]` its score, `sources[0]` who gave it.
"""


def schema() -> pa.Schema:
    """Return the columns; the last four are lists of one length, of two answers at least."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    lists = [("responses", texts), ("scores", pa.list_(pa.float64())), ("sources", texts), ("response_ids", texts)]
    return pa.schema([("prompt_id", pa.string()), ("prompt", turns_type()), *lists])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/lists.sql in this format."""
    import pyarrow as pa

    target = schema()
    return pa.record_batch([batch[field.name].cast(field.type) for field in target], schema=target)
