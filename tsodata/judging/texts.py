"""The words that a judge is shown, read from the store a slice at a time."""

from __future__ import annotations

from collections.abc import Iterable

from tsodata.judging.material import Answer, filled_in
from tsodata.store import Reader


def load_answers(reader: Reader, keys: Iterable[int]) -> dict[int, Answer]:
    """Return answers by key, each with the conversation before it: the source's own earlier answers filled in.

    An answer whose earlier answers are not all in the store is left out.
    """
    wanted = sorted(set(keys))
    said: dict[int, list[str]] = {}
    references: dict[int, list[str | None]] = {}
    for key, _, text, reference in reader.rows("judging/conversations", responses=wanted):
        said.setdefault(key, []).append(text)
        references.setdefault(key, []).append(reference)
    answers = {}
    for key, prompt_key, source_key, messages, text, tags in reader.rows("judging/texts", responses=wanted):
        n_open = sum(message["content"] is None for message in messages)
        earlier = said[key][:-1]
        if n_open > len(earlier):
            continue
        filled = filled_in(messages, earlier[len(earlier) - n_open :])
        answers[key] = Answer(key, prompt_key, source_key, filled, text, tuple(references[key]), tuple(sorted(tags)))
    return answers
