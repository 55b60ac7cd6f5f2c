"""Self-Instruct's 252 user-oriented instructions with answers written by people.

A row holds `id, instruction, instances[].{input, output}`. The prompt is the instruction, followed after an empty line
by the input, where there is one: the words that AlpacaEval uses too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.context import Context, Row, maybe_text, objects, text
from tsodata.records import Origin, Prompt, Record, Response

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield a prompt and a human answer for each instance of one row."""
    instruction, application = text(row, "instruction"), maybe_text(row, "motivation_app")
    for instance in objects(row, "instances"):
        given = maybe_text(instance, "input")
        prompt = Prompt.of_user(f"{instruction}\n\n{given}" if given else instruction)
        yield prompt
        yield Origin(prompt.prompt_key, context.dataset, maybe_text(row, "id"), (application,) if application else ())
        yield Response(prompt.prompt_key, context.people().source_key, text(instance, "output", may_be_empty=True))
