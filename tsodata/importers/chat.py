"""Chat messages: rows of `messages` whose last turn is the assistant's answer.

The turns before it are the prompt. Who answered comes from the field `model`, from the flags, or from `--human`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tsodata.importers.context import Context, Row, fail, integer, maybe_text, messages, present
from tsodata.importers.tabular import answering_source, column, origin, settings_of
from tsodata.records import Prompt, Record, Response


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt and the answer of one conversation."""
    name = column("messages", context)
    turns = messages(present(row, name), name)
    if len(turns) < 2 or turns[-1]["role"] != "assistant":
        fail("no_answer", f"{name!r} does not end with an assistant turn after a user's")
    prompt = Prompt(turns[:-1])
    source = answering_source(row, context)
    if source is None:
        fail("unknown_model", "the row names no model; pass --family, or --map model=COLUMN, or --human")
    yield prompt
    yield origin(row, prompt, context)
    settings = settings_of(row, context)
    if settings:
        yield settings
    yield Response(
        prompt.prompt_key,
        source.source_key,
        str(turns[-1]["content"]),
        sample_index=integer(row, column("sample", context)) or 0,
        settings_key=settings.settings_key if settings else None,
        seed=integer(row, column("seed", context)),
        finish_reason=maybe_text(row, column("finish_reason", context)),
        external_id=maybe_text(row, column("id", context)),
    )
