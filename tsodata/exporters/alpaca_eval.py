"""AlpacaEval's model outputs: a JSON list of `dataset, instruction, output, generator`.

One output per instruction, the first sample; AlpacaEval knows neither system messages nor dialogues. Read in
tatsu-lab/alpaca_eval, results/*/model_outputs.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.exporters.sheets import ANOTHER_SAMPLE, EMPTY, NOT_ONE_INSTRUCTION, Answer, Asked, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence


def sheet(answers: Sequence[Answer], asked: Asked) -> Sheet:
    """Return one row per instruction and data set."""
    made = Sheet()
    seen: set[tuple[str, str]] = set()
    for answer in answers:
        instruction = answer.instruction
        if instruction is None:
            made.refused[NOT_ONE_INSTRUCTION] += 1
        elif answer.sample_index or (answer.dataset, instruction) in seen:
            made.refused[ANOTHER_SAMPLE] += 1
        elif answer.is_empty:
            made.refused[EMPTY] += 1
        else:
            seen.add((answer.dataset, instruction))
            row = {"dataset": answer.dataset, "instruction": instruction, "output": answer.text}
            made.add({**row, "generator": asked.model})
    return made
