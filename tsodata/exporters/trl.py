"""TRL's explicit conversational preference format: `prompt`, `chosen` and `rejected` are lists of messages.

The prompt holds every turn before the answer, the system message too; the answers are one assistant message each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import one_answer, turns_type

if TYPE_CHECKING:
    import pyarrow as pa


def schema() -> pa.Schema:
    """Return the columns: nothing but the three that TRL reads."""
    import pyarrow as pa

    return pa.schema([(name, turns_type()) for name in ("prompt", "chosen", "rejected")])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa

    columns = [batch["prompt"], one_answer(batch["chosen"]), one_answer(batch["rejected"])]
    return pa.record_batch([column.cast(turns_type()) for column in columns], schema=schema())
