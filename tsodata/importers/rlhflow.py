"""RLHFlow's samples: `prompt, responses[], rewards[]`, several draws of one policy with a reward model's numbers.

The prompt is text or chat turns. Neither the policy nor the reward model is named: the policy is the row's `model`,
where there is one, else a source by the data set's name, which flags may place in a cell; the judge is --judge, else
the data set. Equal responses are told apart by their sample index. Without `rewards` the row adds the answers alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsodata.importers.candidates import asked, beside, unnamed
from tsodata.importers.context import Context, Row, maybe_text, texts
from tsodata.importers.verdicts import Judge, read_number, score
from tsodata.records import Origin, Record, Response, Rubric

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse(row: Row, context: Context) -> Iterator[Record]:
    """Yield the prompt, each draw, and its score."""
    prompt = asked(row, "prompt")
    answers = texts(row, "responses")
    rewards = beside(row, "rewards", len(answers))
    name = maybe_text(row, "model")
    source = context.model(name) if name else unnamed(context)
    judge, rubric = Judge(context.judge or context.dataset), Rubric(context.dataset)
    yield from (prompt, Origin(prompt.prompt_key, context.dataset, maybe_text(row, "id")))
    for sample, words in enumerate(answers):
        answer = Response(prompt.prompt_key, source.source_key, words, sample_index=sample)
        yield answer
        if rewards:
            yield from score(answer, read_number(rewards[sample], "rewards"), judge=judge, rubric=rubric)
