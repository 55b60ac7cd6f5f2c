"""The format of HuggingFaceH4/ultrafeedback_binarized, which zephyr recipes and the alignment handbook read.

`prompt` is the first user turn as text and `prompt_id` its sha256, as in H4's data sets, so prompts that begin alike
share a `prompt_id`. `chosen` and `rejected` hold the whole conversation; `messages` is the chosen one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tsodata.exporters.turns import CONTENT_FIRST, first_user_turns, turns_type, with_answer

if TYPE_CHECKING:
    import pyarrow as pa


def schema() -> pa.Schema:
    """Return the columns in H4's order; a score is null where nobody gave one."""
    import pyarrow as pa

    turns = turns_type(CONTENT_FIRST)
    texts = [("prompt", pa.string()), ("prompt_id", pa.string())]
    answers = [("chosen", turns), ("rejected", turns), ("messages", turns)]
    return pa.schema([*texts, *answers, ("score_chosen", pa.float64()), ("score_rejected", pa.float64())])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa

    first_turns = first_user_turns(batch["prompt"])
    prompt_ids = [hashlib.sha256(text.encode()).hexdigest() for text in first_turns.to_pylist()]
    chosen = with_answer(batch["prompt"], batch["chosen"])
    rejected = with_answer(batch["prompt"], batch["rejected"])
    columns = [first_turns, pa.array(prompt_ids, pa.string()), chosen, rejected, chosen]
    scores = [batch["chosen_score"], batch["rejected_score"]]
    target = schema()
    arrays = [column.cast(field.type) for column, field in zip([*columns, *scores], target, strict=True)]
    return pa.record_batch(arrays, schema=target)
