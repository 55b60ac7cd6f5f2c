"""TRL's unpaired preference format, which KTO reads: `prompt`, `completion`, `label`.

A pair gives two rows, one behind the other: the chosen answer with label true, the rejected one with label false.
Read in huggingface/trl, docs/source/dataset_formats.md (unpaired preference, conversational).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import one_answer, turns_type

if TYPE_CHECKING:
    import pyarrow as pa

USAGE = """\
A pair gives two rows, so there are as many desirable as undesirable answers; TRL's `KTOTrainer` takes the columns as
they are.
"""


def schema() -> pa.Schema:
    """Return the columns that TRL reads."""
    import pyarrow as pa

    return pa.schema([("prompt", turns_type()), ("completion", turns_type()), ("label", pa.bool_())])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format, two for one."""
    import pyarrow as pa

    n_pairs = batch.num_rows
    twice = pa.array([row for row in range(n_pairs) for _ in (0, 1)], pa.int64())
    in_turn = pa.array([side * n_pairs + row for row in range(n_pairs) for side in (0, 1)], pa.int64())
    texts = pa.concat_arrays([batch["chosen"], batch["rejected"]]).take(in_turn)
    columns = [batch["prompt"].take(twice), one_answer(texts), pa.array([True, False] * n_pairs, pa.bool_())]
    target = schema()
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, target, strict=True)], schema=target
    )
