"""Chat messages: rows of `messages` whose last turn is the assistant's answer.

The turns before it are the prompt. Who answered comes from the field `model`, from the flags, or from `--human`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, fail, messages, present
from tsodata.importers.tabular import answer, column, origin
from tsodata.records import Prompt, Record

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt and the answer of one conversation."""
    name = column("messages", context)
    turns = messages(present(row, name), name)
    if len(turns) < 2 or turns[-1]["role"] != "assistant":
        fail("no_answer", f"{name!r} does not end with an assistant turn after a user's")
    prompt = Prompt(turns[:-1])
    yield prompt
    yield origin(row, prompt, context)
    yield from answer(row, str(turns[-1]["content"]), prompt=prompt, context=context)
