"""Synthetic material: prompts, each with ten answers of about 300 bytes and a judge's score for every answer.

Words are drawn from a Zipf-like distribution, so that texts compress about as prose does. Chunk number c of the
material is the same whatever size is asked for, on every machine. Seven sources answer once: people, two cells larger
than the base, four that are older or smaller. The base answers three times.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tsodata.records import Origin, Prompt, Response, Rubric, Score, Source

SEED = 43
BASE = "bench/v3/7"
DATASET = "synthetic"
JUDGE, DIMENSION = "judge", "overall"
CHUNK_PROMPTS = 10_000
ANSWERS_PER_PROMPT = 10
VOCABULARY = 20_000
WORDS = (20, 81)  # of an answer: 50 on average, at 6 bytes with the blank
PROMPT_WORDS = (8, 25)
RUBRIC = Rubric(name="quality", scale_min=1.0, scale_max=10.0)


class Slot(NamedTuple):
    """One of a prompt's answers: who gives it, which draw of that source it is, and how good it is on average."""

    source: Source
    sample_index: int
    mean_score: float


def _cell(version: str, size_b: float) -> Source:
    return Source.model("bench", version, float(size_b))  # as the store gives it back: 7 and 7.0 have two keys


SLOTS = (
    Slot(Source.people(), 0, 7.5),
    Slot(_cell("v3", 70), 0, 7.8),
    Slot(_cell("v3", 13), 0, 7.2),
    *(Slot(_cell("v3", 7), index, 6.5) for index in range(3)),
    Slot(_cell("v2", 7), 0, 5.8),
    Slot(_cell("v1", 7), 0, 5.0),
    Slot(_cell("v3", 1), 0, 4.5),
    Slot(_cell("v2", 1), 0, 4.0),
)
SOURCES = tuple(dict.fromkeys(slot.source for slot in SLOTS))


class Chunk(NamedTuple):
    """Records of some prompts; `answers` and `scores` stand prompt by prompt, ten for each."""

    prompts: list[Prompt]
    origins: list[Origin]
    answers: list[Response]
    scores: list[Score]


def iter_chunks(n_prompts: int) -> Iterator[Chunk]:
    """Yield the material in chunks of at most `CHUNK_PROMPTS` prompts."""
    words = Words()
    for first in range(0, n_prompts, CHUNK_PROMPTS):
        yield _chunk(first, words, min(CHUNK_PROMPTS, n_prompts - first))


class Words:
    """A vocabulary, drawn from with probability 1 / (rank + 2.7)."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        letters = rng.choice(list("etaoinshrdlucmfwypvbgk"), size=(VOCABULARY, 12))
        lengths = rng.integers(2, 9, size=VOCABULARY)
        self._words = np.array(["".join(row[:n]) for row, n in zip(letters, lengths, strict=True)], dtype=object)
        self._up_to = np.cumsum(1 / (np.arange(VOCABULARY) + 2.7))

    def texts(self, rng: np.random.Generator, n_texts: int, n_words: tuple[int, int]) -> list[str]:
        """Return texts whose numbers of words lie evenly between two bounds, the second not included."""
        ends = np.cumsum(rng.integers(*n_words, size=n_texts)).tolist()
        places = np.searchsorted(self._up_to, rng.random(ends[-1]) * self._up_to[-1])
        words = self._words[places].tolist()
        return [" ".join(words[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _chunk(first: int, words: Words, n_prompts: int) -> Chunk:
    rng = np.random.default_rng([SEED, first])
    # always drawn for a whole chunk, so that a smaller material is the beginning of a larger one
    questions = words.texts(rng, CHUNK_PROMPTS, PROMPT_WORDS)[:n_prompts]
    answers = words.texts(rng, CHUNK_PROMPTS * ANSWERS_PER_PROMPT, WORDS)
    ease = rng.normal(0, 0.8, size=(CHUNK_PROMPTS, 1))
    noise = rng.normal(0, 1.2, size=(CHUNK_PROMPTS, ANSWERS_PER_PROMPT))
    means = np.array([slot.mean_score for slot in SLOTS])
    values = np.round(np.clip(means + ease + noise, 1, 10), 1).tolist()
    chunk = Chunk([], [], [], [])
    for place, question in enumerate(questions):
        prompt = Prompt.of_user(f"{first + place}: {question}")
        chunk.prompts.append(prompt)
        chunk.origins.append(Origin(prompt.prompt_key, DATASET, str(first + place)))
        start = place * ANSWERS_PER_PROMPT
        texts = answers[start : start + ANSWERS_PER_PROMPT]
        for slot, text, value in zip(SLOTS, texts, values[place], strict=True):
            answer = Response(prompt.prompt_key, slot.source.source_key, text, slot.sample_index)
            chunk.answers.append(answer)
            chunk.scores.append(_score(answer, value))
    return chunk


def _score(answer: Response, value: float) -> Score:
    return Score(
        judgement_key=None,
        prompt_key=answer.prompt_key,
        source_key=answer.source_key,
        response_key=answer.response_key,
        judge=JUDGE,
        judge_kind="model",
        rubric_key=RUBRIC.rubric_key,
        dimension=DIMENSION,
        value=value,
    )
