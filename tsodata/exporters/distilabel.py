"""The columns of distilabel's FormatTextGenerationDPO and FormatChatGenerationDPO, inputs and outputs.

`generations` are the chosen and the rejected answer, in this order, `generation_models` and `ratings` stand beside
them. `instruction` and `prompt` are the first user turn, as distilabel takes it, and `prompt_id` its sha256, so
dialogues that begin alike share a `prompt_id`; `messages`, and both sides, hold every turn. A rating is null where
nobody gave one. Read in argilla-io/distilabel, src/distilabel/steps/formatting/dpo.py.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tsodata.exporters.turns import ROLE_FIRST, first_user_turns, turns_type, with_answer

if TYPE_CHECKING:
    import pyarrow as pa

USAGE = """\
The rows are formatted already: to run distilabel's FormatTextGenerationDPO on them again would choose anew by rating,
and TSO's pairs are drawn by source, not by rating. `generations` holds the chosen answer, then the rejected one.
"""


def schema() -> pa.Schema:
    """Return distilabel's inputs, then its outputs, in its order."""
    import pyarrow as pa

    text, number, turns = pa.string(), pa.float64(), turns_type()
    inputs = [("system_prompt", text), ("instruction", text), ("messages", turns), ("generations", pa.list_(text))]
    inputs += [("generation_models", pa.list_(text)), ("ratings", pa.list_(number))]
    outputs = [("prompt", text), ("prompt_id", text)]
    for side in ("chosen", "rejected"):
        outputs += [(side, turns), (f"{side}_model", text), (f"{side}_rating", number)]
    return pa.schema([*inputs, *outputs])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa

    first_turns = first_user_turns(batch["prompt"])
    columns = {
        "system_prompt": pa.array([_system(turns) for turns in batch["prompt"].to_pylist()], pa.string()),
        "instruction": first_turns,
        "messages": batch["prompt"],
        "generations": _both(batch["chosen"], batch["rejected"]),
        "generation_models": _both(batch["chosen_source"], batch["rejected_source"]),
        "ratings": _both(batch["chosen_score"], batch["rejected_score"]),
        "prompt": first_turns,
        "prompt_id": pa.array([hashlib.sha256(text.encode()).hexdigest() for text in first_turns.to_pylist()]),
    }
    for side in ("chosen", "rejected"):
        columns[side] = with_answer(batch["prompt"], batch[side], order=ROLE_FIRST)
        columns[f"{side}_model"] = batch[f"{side}_source"]
        columns[f"{side}_rating"] = batch[f"{side}_score"]
    target = schema()
    return pa.record_batch([columns[field.name].cast(field.type) for field in target], schema=target)


def _system(turns: list[dict[str, str]]) -> str | None:
    return turns[0]["content"] if turns[0]["role"] == "system" else None


def _both(chosen: pa.Array, rejected: pa.Array) -> pa.Array:
    import pyarrow as pa

    n_rows = len(chosen)
    in_turn = pa.array([side * n_rows + row for row in range(n_rows) for side in (0, 1)], pa.int64())
    values = pa.concat_arrays([chosen, rejected]).take(in_turn)
    return pa.ListArray.from_arrays(pa.array(range(0, 2 * n_rows + 1, 2), pa.int32()), values)
