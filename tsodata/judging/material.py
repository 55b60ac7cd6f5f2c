"""What a judge is shown: an answer with the conversation before it, and what fills the places of a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsodata.records import Message, transcript


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: the prompt's messages with the source's own earlier answers filled in, references by turn, tags."""

    response_key: int
    prompt_key: int
    source_key: int
    messages: tuple[Message, ...]
    text: str
    references: tuple[str | None, ...] = ()  # by turn of the user, None where there is none
    tags: tuple[str, ...] = ()


def answer_values(answer: Answer, *, categories: Sequence[str] = ()) -> dict[str, str]:
    """Return what fills the places of a pointwise template."""
    said = [*_said_before(answer), answer.text]
    values = _shared_values(answer, categories) | {"answer": answer.text}
    return values | {f"answer_{turn}": text for turn, text in enumerate(said, 1)}


def pair_values(first: Answer, second: Answer) -> dict[str, str]:
    """Return what fills the places of a pairwise template, in the order in which the answers are shown."""
    values = _shared_values(first, ())
    for side, answer in (("a", first), ("b", second)):
        values[f"answer_{side}"] = answer.text
        said = [*_said_before(answer), answer.text]
        values.update({f"answer_{side}_{turn}": text for turn, text in enumerate(said, 1)})
    return values


def _said_before(answer: Answer) -> list[str]:
    return [str(message["content"]) for message in answer.messages if message["role"] == "assistant"]


def _shared_values(answer: Answer, categories: Sequence[str]) -> dict[str, str]:
    questions = [str(message["content"]) for message in answer.messages if message["role"] == "user"]
    values = {"prompt": transcript(answer.messages)}
    values |= {f"question_{turn}": text for turn, text in enumerate(questions, 1)}
    values |= {f"reference_{turn}": text for turn, text in enumerate(answer.references, 1) if text is not None}
    if answer.references and answer.references[-1] is not None:
        values["reference"] = answer.references[-1]
    category = next((tag for tag in answer.tags if tag in categories), None)
    return values if category is None else values | {"category": category}


def filled_in(messages: Sequence[Message], own_answers: Sequence[str]) -> tuple[Message, ...]:
    """Return the messages with the open turns filled by the source's own answers, the first one first."""
    given = iter(own_answers)
    return tuple(
        Message(role=message["role"], content=next(given)) if message["content"] is None else message
        for message in messages
    )
