"""The rule as an engine: it answers the rubric's question as a model would, evidence first and then a score line.

So the stronger judge takes the way that every judge takes, and its words, scores and calls stand in the store.
"""

from __future__ import annotations

from collections.abc import Sequence

from miniature.grading import grade
from tsodata.engines.protocol import Completion, Failure, ModelIdentity, Request

JUDGE = "rule"


class RuleEngine:
    """Grades what it is asked about."""

    name = "rule"
    endpoint: str | None = None
    identity = ModelIdentity(JUDGE, revision="1")
    batch_size = 256
    max_concurrency = 1

    async def complete(self, requests: Sequence[Request]) -> Sequence[Completion | Failure]:
        """Return a judgement of each answer."""
        return [Completion(judge(str(request.messages[-1]["content"])), "stop") for request in requests]

    async def close(self) -> None:
        """Hold nothing."""


def judge(asked: str) -> str:
    """Return the rule's words on what the rubric asks, `score logic: PROMPT => ANSWER`."""
    head, _, material = asked.partition(": ")
    prompt, _, answer = material.partition(" => ")
    found = grade(prompt, answer)[head.removeprefix("score ")]
    return f"{found.evidence}\nScore: {found.value:.1f}"
