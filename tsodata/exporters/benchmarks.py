"""Answer files for benchmarks, from the store's answers: the kinds by name, and one file from beginning to end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tsodata import reading
from tsodata.errors import ExportRefusedError, UnknownNameError, UsageError
from tsodata.exporters import alignbench, alpaca_eval, arena_hard, fastchat
from tsodata.exporters.sheets import Answer, Asked, Sheet
from tsodata.exporters.template import load_tokenizer
from tsodata.placing import placed_file

if TYPE_CHECKING:
    from pathlib import Path

    from tsodata.store import Reader, Store


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A kind of answer file; `dataset` is where its questions are, by name or tag, where nobody says otherwise."""

    name: str
    says: str
    dataset: str
    sheet: Callable[[Sequence[Answer], Asked], Sheet]
    is_list: bool = False
    needs_questions: bool = False


_ALL = (
    AnswerFile("alpaca-eval", "AlpacaEval: model_outputs.json", "alpaca_eval", alpaca_eval.sheet, is_list=True),
    AnswerFile("fastchat", "FastChat: MT-Bench answers to all turns", "mt_bench", fastchat.sheet),
    AnswerFile("arena-hard", "Arena-Hard 0.1: answers with their lengths in tokens", "arena_hard", arena_hard.sheet),
    AnswerFile(
        "alignbench",
        "AlignBench: answers beside the rows of its question file (--questions)",
        "alignbench",
        alignbench.sheet,
        needs_questions=True,
    ),
)
ANSWER_FILES: Mapping[str, AnswerFile] = MappingProxyType({each.name: each for each in _ALL})


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """What an answer file holds: `n_answers` in `n_rows` rows, `refused` answers by reason, questions left unanswered.

    `token_len` says where lengths come from, in files that have them.
    """

    path: Path
    kind: str
    model: str
    n_rows: int
    n_answers: int
    refused: Counter[str]
    n_unanswered: int
    token_len: str | None
    file_sha256: str


def export_answers(
    store: Store,
    source: str,
    *,
    to: str,
    out: Path,
    dataset: str | None = None,
    model: str | None = None,
    questions: Path | None = None,
    tokenizer: str | None = None,
    overwrite: bool = False,
) -> AnswersReport:
    """Write a source's answers to a benchmark's questions as the file that the benchmark reads, whole or not at all.

    `model` is the source's name in the file; where it is not given, the one name that files have used for it, else its
    label. Answers that the file cannot hold are counted by reason.

    Raises:
        UnknownNameError: no source has the label.
        UsageError: there is no such kind of file, or it needs the benchmark's questions, or the tokenizer is not there.
        ExportRefusedError: `out` is taken, or the disk refuses, or there is no answer to write.
    """
    kind = _find_kind(to)
    if kind.needs_questions and questions is None:
        raise UsageError(f"{to} needs the benchmark's own question file; pass --questions FILE")
    where = dataset or kind.dataset
    counter = _token_counter(tokenizer) if tokenizer else None
    with store.reader() as reader:
        name = model or _name_of(reader, source)
        answers = [Answer(*row) for row in reader.rows("exports/benchmark_answers", source=source, dataset=where)]
        known = reader.rows("exports/benchmark_questions", source=source, dataset=where)
    asked = Asked(name, _n_turns(known), _read_questions(questions) if questions else {}, counter)
    made = kind.sheet(answers, asked)
    if not made.rows:
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(made.refused.items()))
        missing = f"no question of {where!r} has an answer of it; pass --dataset for another"
        raise ExportRefusedError(f"{source}: nothing to write as {to} ({why or missing})")
    _write(out, made.rows, is_list=kind.is_list, overwrite=overwrite)
    return AnswersReport(
        path=out,
        kind=to,
        model=name,
        n_rows=len(made.rows),
        n_answers=made.n_answers,
        refused=made.refused,
        n_unanswered=sum(not is_answered for _, is_answered in known),
        token_len=_token_len(made, tokenizer) if to == "arena-hard" else None,
        file_sha256=reading.file_sha256(out),
    )


def _find_kind(name: str) -> AnswerFile:
    if name not in ANSWER_FILES:
        raise UsageError(f"no answer file {name!r}; known are {', '.join(ANSWER_FILES)}")
    return ANSWER_FILES[name]


def _name_of(reader: Reader, source: str) -> str:
    found = [row[0] for row in reader.rows("exports/source_names", source=source)]
    if not found:
        raise UnknownNameError(f"no source {source!r}; tso-data query source-coverage lists those there")
    return str(found[0]) if len(found) == 1 and found[0] else source


def _n_turns(known: list[tuple[Any, ...]]) -> Mapping[str, int]:
    turns: dict[str, int] = {}
    for external_id, _ in known:
        question, turn = fastchat.question_and_turn(external_id)
        if question is not None:
            turns[question] = max(turn, turns.get(question, 0))
    return turns


def _read_questions(path: Path) -> Mapping[str, Mapping[str, Any]]:
    questions = {}
    for row in reading.iter_rows(path):
        if row.value is None or not isinstance(row.value.get("question"), str):
            raise UsageError(f"{path}:{row.line}: {row.problem or 'no text in the field question'}")
        questions[row.value["question"]] = row.value
    return questions


def _token_counter(name: str) -> Callable[[str], int]:
    tokenizer = load_tokenizer(name)
    return lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _token_len(made: Sheet, tokenizer: str | None) -> str:
    if tokenizer:
        return f"counted with {tokenizer}"
    lengths = [turn["token_len"] for row in made.rows for choice in row["choices"] for turn in choice["turns"]]  # type: ignore[attr-defined]
    n_null = sum(length is None for length in lengths)
    return f"no tokenizer was given: {len(lengths) - n_null} as imported, {n_null} null"


def _write(out: Path, rows: list[dict[str, object]], *, is_list: bool, overwrite: bool) -> None:
    if is_list:
        text = json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    content = text.encode()
    if out.is_file() and out.read_bytes() == content:
        return
    if out.exists() and not (overwrite and out.is_file()):
        raise ExportRefusedError(f"{out} is there with other content; pass --overwrite or another --out")
    try:
        with placed_file(out) as file:
            file.write(content)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ExportRefusedError(f"{out}: not written ({reason}); make room, or pass another --out") from error
