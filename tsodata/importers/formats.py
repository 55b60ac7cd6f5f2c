"""The formats by name: the parser of a row, the data set that it names, and what it adds to the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tsodata.errors import UsageError
from tsodata.importers import (
    alpaca_eval,
    arena_hard,
    argilla,
    chat,
    corrections,
    distilabel,
    hh_rlhf,
    journal,
    just_eval,
    label_studio,
    mt_bench,
    pairs,
    qlora,
    rlhflow,
    self_instruct,
    tabular,
    tldr,
    tulu,
    ultrafeedback,
)
from tsodata.importers.context import Parse, Row


class Format(NamedTuple):
    """A way in. `dataset` is the data set where nobody says otherwise, `refers` whether rows point to stored ones.

    `names` returns the ids of the store's own answers that a row is about, in formats whose rows may be.
    """

    parse: Parse
    dataset: str
    adds: str
    refers: bool = False
    names: Callable[[Row], Iterable[object]] | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "records": Format(tabular.parse, "records", "prompts, answers and scores, fields under any name (--map)"),
        "chat": Format(chat.parse, "chat", "conversations whose last turn is the answer"),
        "alpaca-eval": Format(alpaca_eval.parse_output, "alpaca_eval", "AlpacaEval: a model's outputs"),
        "alpaca-eval-annotations": Format(
            alpaca_eval.parse_annotation, "alpaca_eval", "AlpacaEval: preferences of both generations of annotator"
        ),
        "self-instruct": Format(self_instruct.parse, "selfinstruct", "Self-Instruct: answers written by people"),
        "tldr-samples": Format(tldr.parse, "tldr", "TL;DR: summaries by the InstructGPT models and by people"),
        "qlora": Format(qlora.parse_generation, "vicuna", "QLoRA: questions and generations", refers=True),
        "qlora-ratings": Format(qlora.parse_rating, "vicuna", "QLoRA: ratings of two answers at once", refers=True),
        "mt-bench-questions": Format(mt_bench.parse_question, "mt_bench", "MT-Bench: questions and references"),
        "mt-bench-answers": Format(mt_bench.parse_answer, "mt_bench", "MT-Bench: answers to both turns", refers=True),
        "mt-bench-judgments": Format(
            mt_bench.parse_judgment, "mt_bench", "MT-Bench: single-answer judgments", refers=True
        ),
        "arena-hard-questions": Format(
            arena_hard.parse_question, "arena_hard", "Arena-Hard: questions of both schemas"
        ),
        "arena-hard-answers": Format(arena_hard.parse_answer, "arena_hard", "Arena-Hard: answers", refers=True),
        "arena-hard-judgments": Format(
            arena_hard.parse_judgment, "arena_hard", "Arena-Hard: verdicts of five levels in both orders", refers=True
        ),
        "hh-rlhf": Format(
            hh_rlhf.parse, "hh-rlhf", "HH-RLHF: two dialogues that part at the last answer, and which won"
        ),
        "ultrafeedback": Format(
            ultrafeedback.parse, "ultrafeedback", "UltraFeedback: completions rated in four aspects"
        ),
        "just-eval": Format(just_eval.parse, "just_eval", "just-eval: answers judged in several dimensions"),
        "tulu-preferences": Format(tulu.parse, "tulu", "Tulu's human evaluation: preferences of five degrees"),
        "h4-pairs": Format(pairs.parse_h4, "h4-pairs", "H4: pairs of whole conversations, with scores"),
        "trl-pairs": Format(pairs.parse_trl, "trl-pairs", "TRL: pairs with an explicit or implicit prompt"),
        "distilabel": Format(distilabel.parse, "distilabel", "distilabel: generations with ratings, or pairs of them"),
        "argilla": Format(
            argilla.parse,
            "argilla",
            "Argilla: answers with people's ratings, choices and rankings; corrections of stored answers",
            names=argilla.names,
        ),
        "label-studio": Format(
            label_studio.parse,
            "label-studio",
            "Label Studio: tasks with people's ratings and choices; corrections of stored answers",
            names=label_studio.names,
        ),
        "corrections": Format(
            corrections.parse,
            "corrections",
            "scores of stored answers by people or a stronger judge (--by), as `export-corrections` lays them out",
            names=corrections.names,
        ),
        "journal": Format(
            journal.parse,
            "journal",
            "journals of tso-data generate and judge: answers, judgements and calls",
            names=journal.names,
        ),
        "rlhflow": Format(rlhflow.parse, "rlhflow", "RLHFlow: samples of one policy with rewards"),
    }
)


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises:
        UsageError: there is none.
    """
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}; known are {', '.join(FORMATS)}")
    return FORMATS[name]
