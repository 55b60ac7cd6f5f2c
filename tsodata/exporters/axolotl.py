"""axolotl's DPO rows for `type: chat_template.default`, and the YAML stanza that reads them.

`messages` is the prompt, `chosen` and `rejected` are one message each. axolotl renders an answer behind a made-up user
turn, looks the answer's text up in the result and keeps what begins there: an answer with blank edges is cut wrongly
where the template strips them, so edges are stripped here; an answer as short as one digit can be found inside the
template itself. Read in axolotl-ai-cloud/axolotl, docs/rlhf.qmd, src/axolotl/prompt_strategies/dpo/chat_template.py
and src/axolotl/utils/data/shared.py (a local path that is a file is read by its ds_type).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.turns import assistant_turns, turn_type, turns_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

STANZA_NAME = "axolotl.yaml"
USAGE = f"""\
`{STANZA_NAME}` is the stanza for the configuration; its paths are relative to this folder. axolotl looks for an
answer's text in the rendered conversation, so an answer of one or two characters may be found inside the template:
look at such rows with `axolotl preprocess --debug`.
"""


def schema() -> pa.Schema:
    """Return the columns under the names that the stanza gives them."""
    import pyarrow as pa

    return pa.schema([("messages", turns_type()), ("chosen", turn_type()), ("rejected", turn_type())])


def shape(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of sql/exports/pairs.sql in this format."""
    import pyarrow as pa

    columns = [batch["prompt"], assistant_turns(batch["chosen"]), assistant_turns(batch["rejected"])]
    target = schema()
    return pa.record_batch(
        [column.cast(field.type) for column, field in zip(columns, target, strict=True)], schema=target
    )


def side_files(_build: str, files: Mapping[str, str]) -> dict[str, bytes]:
    """Return the stanza, with the held-out rows as test data where there are any."""
    lines = ["rl: dpo"]
    for split, path in files.items():
        lines += [f"{'datasets' if split == 'train' else 'test_datasets'}:", *_dataset(path)]
    return {STANZA_NAME: "\n".join([*lines, ""]).encode()}


def _dataset(path: str) -> list[str]:
    return [
        f"  - path: {path}",
        "    ds_type: json",
        "    split: train",
        "    type: chat_template.default",
        "    field_messages: messages",
        "    field_chosen: chosen",
        "    field_rejected: rejected",
        "    message_property_mappings:",
        "      role: role",
        "      content: content",
        "    roles:",
        '      system: ["system"]',
        '      user: ["user"]',
        '      assistant: ["assistant"]',
    ]
