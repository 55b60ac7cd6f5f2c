"""LLaMA-Factory's sharegpt preference format, and the dataset_info.json that names it.

`conversations` holds the prompt's turns, the system message first, with the roles human and gpt; `chosen` and
`rejected` are one turn each. LLaMA-Factory skips, with a warning only, rows whose turns are not human's and gpt's in
turn or do not end with human's, so such prompts are refused here. Read in hiyouga/LLaMA-Factory, data/README.md and
src/llamafactory/data/converter.py (SharegptDatasetConverter) and parser.py: where an entry has tags, the tags that it
leaves out are unset, so all are written.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

INFO_NAME = "dataset_info.json"
USAGE = f"""\
`{INFO_NAME}` names the files. With `dataset_dir` set to this folder, `dataset` takes the names in it (the held-out
rows have one of their own, for `eval_dataset`); `stage` is `dpo` or `rm`.
"""
_FIELDS = ("from", "value")
_NAMES = {"system": "system", "user": "human", "assistant": "gpt"}
_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def schema() -> pa.Schema:
    """Return the columns in the order of LLaMA-Factory's examples."""
    import pyarrow as pa

    turn = pa.struct([pa.field(name, pa.string()) for name in _FIELDS])
    return pa.schema([("conversations", pa.list_(turn)), ("chosen", turn), ("rejected", turn)])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa
    from pyarrow import compute as pc

    prompts = batch["prompt"]
    turns = prompts.flatten()
    roles = pc.index_in(turns.field("role"), pa.array(list(_NAMES)))
    asked = _turns(pa.array(list(_NAMES.values())).take(roles), turns.field("content"))
    offsets = pc.subtract(prompts.offsets, prompts.offsets[0])
    gpt = pa.repeat("gpt", batch.num_rows)
    columns = [pa.ListArray.from_arrays(offsets, asked), _turns(gpt, batch["chosen"]), _turns(gpt, batch["rejected"])]
    target = schema()
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, target, strict=True)], schema=target
    )


def _turns(names: pa.Array, texts: pa.Array) -> pa.Array:
    import pyarrow as pa

    return pa.StructArray.from_arrays([names, texts], names=list(_FIELDS))


def side_files(build: str, files: Mapping[str, str]) -> dict[str, bytes]:
    """Return dataset_info.json, whose entries are called after the build; LLaMA-Factory splits names at commas."""
    name = re.sub(r"[^\w.-]+", "_", build)
    entries = {}
    for split, path in files.items():
        entries[name if split == "train" else f"{name}_{split}"] = {
            "file_name": path,
            "formatting": "sharegpt",
            "ranking": True,
            "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
            "tags": _TAGS,
        }
    return {INFO_NAME: (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode()}
