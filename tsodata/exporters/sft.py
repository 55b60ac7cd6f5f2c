"""Conversations for supervised tuning: `messages`, the prompt's turns with the answer behind them.

A build of answers (best of n, above a threshold) gives each of its answers; a build of pairs gives the chosen ones,
each once; ranked lists are refused, for their last answers are the worst. Read in huggingface/trl,
docs/source/dataset_formats.md (language modeling, conversational).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import ROLE_FIRST, turns_type, with_answer

if TYPE_CHECKING:
    import pyarrow as pa

USAGE = """\
`messages` is what TRL's `SFTTrainer` reads. Of a build of pairs these are the chosen answers, each once; of a build of
answers they are its answers.
"""


def schema() -> pa.Schema:
    """Return the one column."""
    import pyarrow as pa

    return pa.schema([("messages", turns_type())])


def shape_pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the chosen answers of sql/exports/pairs.sql in this format."""
    return _shape(batch, "chosen")


def shape_answers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/answers.sql in this format."""
    return _shape(batch, "answer")


def _shape(batch: pa.RecordBatch, answer: str) -> pa.RecordBatch:
    import pyarrow as pa

    messages = with_answer(batch["prompt"], batch[answer], order=ROLE_FIRST)
    return pa.record_batch([messages.cast(turns_type())], schema=schema())
