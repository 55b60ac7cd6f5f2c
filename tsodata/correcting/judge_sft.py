"""What a judge learns from corrections (Sec. 3.2): which answers, with which score, and in whose words.

Evidence can be invented: in Table 10 of the paper the corrected evidence praises what the answer does not hold. So no
words are made up here. The evidence is the reason that was given with the correction; where there is none, the judge's
own words from a sample whose score agrees with the correction; else the answer is refused. Answers on which judge and
people agree are kept, so that the judge does not learn that it is always wrong.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tsodata.correcting.choosing import JudgeChoice
from tsodata.errors import RubricError
from tsodata.judging.material import Answer, answer_values
from tsodata.judging.parsers import Asked, read_score_line
from tsodata.judging.rubric import JudgeRubric
from tsodata.judging.templates import Piece, Template, Turn, render
from tsodata.judging.texts import load_answers
from tsodata.provenance import format_id, stream_seed
from tsodata.recipes import SEED
from tsodata.store import Reader

N_BINS = 5  # ours: the paper's rubric has five anchors (App. D.2)
AGREE_WITHIN = 1.0  # ours: half the way from one anchor of the paper's rubric to the next
_SLICE = 200  # answers whose texts are read at once
_SCORE_LABEL = re.compile(r"[*_#\s]*(?<![a-z])(?:score|评分|分数)[ \t*_]{0,20}[:\uff1a]", re.IGNORECASE)
_EVIDENCE_LABEL = "Evaluation evidence:"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What to make training records of; `rubric` asks in other words than those that the scores were given for.

    `held_out` is a share of the prompts. Answers of `held_out_cells` are never trained on: those to prompts that are
    are refused. `per_bin` bounds the training records of each bin of scores; left out, to what the middle bin has.
    """

    judge: str | None = None
    rubric_name: str | None = None
    rubric: JudgeRubric | None = None
    dimensions: tuple[str, ...] = ()
    held_out: float = 0.1  # ours
    held_out_cells: tuple[str, ...] = ()
    per_bin: int | None = None
    agree_within: float = AGREE_WITHIN
    seed: int = SEED


class Item(NamedTuple):
    """One corrected answer in one dimension, the columns of sql/corrections/judge_sft.sql."""

    response_key: int
    prompt_key: int
    rubric_key: int
    dimension: str
    cell: str
    scored_by: str
    score: float
    reason: str | None
    judge_score: float | None
    judge_words: str | None
    is_held_out: bool
    bin: int | None
    scale_min: float | None
    scale_max: float | None
    template: str | None

    @property
    def split(self) -> str:
        """Return where the answer's record stands."""
        return "held_out" if self.is_held_out else "train"


class Evidence(NamedTuple):
    """Words that support a score, and who said them: `human`, `model` (a stronger one), or the `judge` that learns."""

    words: str
    said_by: str


def find_items(reader: Reader, lesson: Lesson, chosen: JudgeChoice) -> list[Item]:
    """Return all corrected answers of a rubric, in an order that depends on the seed alone."""
    rows = reader.rows(
        "corrections/judge_sft",
        judge=chosen.judge,
        rubric=chosen.rubric,
        dimensions=list(lesson.dimensions),
        held_out=lesson.held_out,
        split_seed=stream_seed(lesson.seed, "judge held out"),
        order_seed=stream_seed(lesson.seed, "judge order"),
        n_bins=N_BINS,
    )
    return [Item(*row) for row in rows]


def sift(items: Iterable[Item], lesson: Lesson, refused: Counter[str]) -> list[Item]:
    """Return the items that may become records, in balanced bins; the others are counted by reason."""
    fit = []
    for item in items:
        why = _why_unfit(item, lesson)
        if why:
            refused[why] += 1
        else:
            fit.append(item)
    sizes = Counter(item.bin for item in fit if not item.is_held_out)
    most = lesson.per_bin or (sorted(sizes.values())[len(sizes) // 2] if sizes else 0)
    taken: Counter[int | None] = Counter()
    kept = []
    for item in fit:
        if not item.is_held_out:
            taken[item.bin] += 1
            if taken[item.bin] > most:
                refused["bin_is_full"] += 1
                continue
        kept.append(item)
    return kept


def _why_unfit(item: Item, lesson: Lesson) -> str | None:
    if item.bin is None:
        return "rubric_has_no_scale"
    if item.cell in lesson.held_out_cells and not item.is_held_out:
        return "cell_is_held_out"
    return None if evidence_of(item, lesson.agree_within) else "no_evidence"


def evidence_of(item: Item, agree_within: float) -> Evidence | None:
    """Return the words that support an item's score, or None where nobody has said any that do."""
    if item.reason:
        words = _before_score(item.reason)
        return Evidence(words, item.scored_by) if words else None
    if item.judge_words is None or item.judge_score is None or abs(item.judge_score - item.score) > agree_within:
        return None
    words = _before_score(item.judge_words)
    return Evidence(words, "judge") if words else None


def _before_score(words: str) -> str:
    """Return what stands before the last score of a judge's words."""
    labels = list(_SCORE_LABEL.finditer(words))
    return (words[: labels[-1].start()] if labels else words).strip()


def iter_records(
    reader: Reader, items: Sequence[Item], lesson: Lesson, refused: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Yield the training records of items; those that cannot be asked or read back are counted by reason."""
    for start in range(0, len(items), _SLICE):
        batch = items[start : start + _SLICE]
        answers = load_answers(reader, {item.response_key for item in batch})
        for item in batch:
            answer = answers.get(item.response_key)
            if answer is None:
                refused["text_not_in_store"] += 1
                continue
            record = _record(item, answer, lesson)
            if isinstance(record, str):
                refused[record] += 1
            else:
                yield record


def _record(item: Item, answer: Answer, lesson: Lesson) -> dict[str, Any] | str:
    """Return the record of an item, or why there is none."""
    template = _template(item, answer, lesson.rubric)
    if template is None:
        return "rubric_has_no_template"
    try:
        asked = render(template, answer_values(answer))
    except RubricError:
        return "unfilled_place"
    evidence = evidence_of(item, lesson.agree_within)
    assert evidence
    words = f"{_labelled(evidence.words, asked[-1]['content'])}\nScore: {item.score:.1f}"
    if not _reads_back(item, words, asked[-1]["content"]):
        return "not_a_score_line"
    return {
        "id": f"{format_id('response', item.response_key)}/{item.dimension}",
        "messages": [*asked, {"role": "assistant", "content": words}],
        "split": item.split,
        "dimension": item.dimension,
        "score": round(item.score, 1),
        "judge_score": item.judge_score,
        "scored_by": item.scored_by,
        "evidence_by": evidence.said_by,
        "source": item.cell,
        "cell_is_held_out": item.cell in lesson.held_out_cells,
        "prompt_id": format_id("prompt", item.prompt_key),
        "rubric_id": format_id("rubric", item.rubric_key),
    }


def _template(item: Item, answer: Answer, rubric: JudgeRubric | None) -> Template | None:
    """Return the template that asks for an item's dimension: of the rubric that was named, else of the item's own."""
    if rubric is None:
        return _stored_template(item.template)
    has_reference = bool(answer.references) and answer.references[-1] is not None
    n_turns = sum(message["role"] == "user" for message in answer.messages)
    for question in rubric.questions:
        fits = question.n_turns in (None, n_turns) and (has_reference or not question.with_reference)
        if item.dimension in question.dimensions and fits:
            return question.template
    return None


def _stored_template(text: str | None) -> Template | None:
    """Return a template from its text in the store, or None where that is of another kind."""
    try:
        turns = json.loads(text or "")
        return tuple(
            Turn(role, tuple(Piece(piece, is_place=kind == "place") for kind, piece in pieces))
            for role, pieces in turns
        )
    except (ValueError, TypeError):
        return None


def _labelled(words: str, asked: str | None) -> str:
    """Return evidence under the paper's label where the prompt asks for it so."""
    is_due = _EVIDENCE_LABEL.lower().rstrip(":") in (asked or "").lower() and not words.startswith(_EVIDENCE_LABEL[:10])
    return f"{_EVIDENCE_LABEL} {words}" if is_due else words


def _reads_back(item: Item, words: str, asked: str | None) -> bool:
    """Say whether the prompt asks for a score line, and the parser of score lines finds the score in the words."""
    assert item.scale_min is not None
    assert item.scale_max is not None
    told = read_score_line(words, Asked((item.scale_min, item.scale_max), (item.dimension,)))[item.dimension]
    return "score" in (asked or "").lower() and told.value == round(item.score, 1)
