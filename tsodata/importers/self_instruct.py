"""Self-Instruct's 252 user-oriented instructions with answers written by people.

A row holds `id, instruction, instances[].{input, output}`. The prompt is the instruction, followed by the input after an
empty line where there is one: the words that AlpacaEval uses too.
"""

from __future__ import annotations

from collections.abc import Iterator

from tsodata.importers.context import Context, Row, fail, maybe_text, present, text
from tsodata.records import Origin, Prompt, Record, Response


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield a prompt and a human answer for each instance of one row."""
    instances = present(row, "instances")
    if not isinstance(instances, list) or not all(isinstance(instance, dict) for instance in instances):
        fail("wrong_type", "field 'instances' is not a list of objects")
    if not instances:
        fail("empty_field", "field 'instances' is empty")
    application = maybe_text(row, "motivation_app")
    for instance in instances:
        given = maybe_text(instance, "input")
        instruction = text(row, "instruction")
        prompt = Prompt.of_user(f"{instruction}\n\n{given}" if given else instruction)
        tags = (application,) if application else ()
        yield prompt
        yield Origin(prompt.prompt_key, context.dataset, maybe_text(row, "id"), tags)
        yield Response(prompt.prompt_key, context.people().source_key, text(instance, "output", may_be_empty=True))
