"""Flat rows with everything: ids, sources and scores beside the texts. Written as Parquet or as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import turns_type

if TYPE_CHECKING:
    import pyarrow as pa


def schema() -> pa.Schema:
    """Return the columns; `prompt` is a list of messages, `chosen` and `rejected` are texts."""
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        [
            ("pair_id", text),
            ("prompt_id", text),
            ("prompt", turns_type()),
            ("chosen", text),
            ("rejected", text),
            ("chosen_response_id", text),
            ("rejected_response_id", text),
            ("chosen_source", text),
            ("rejected_source", text),
            ("chosen_score", pa.float64()),
            ("rejected_score", pa.float64()),
            ("pool", text),
            ("minibatch", pa.int32()),
            ("split", text),
        ]
    )


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa

    target = schema()
    return pa.record_batch([batch[field.name].cast(field.type) for field in target], schema=target)
