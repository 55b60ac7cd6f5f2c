"""AlpacaEval's win rate and its length-controlled win rate, from stored preferences (Dubois et al. 2024).

A verdict's B is the model and A the baseline, as AlpacaEval's files have it; where the baseline is named, verdicts that
show it second are turned round, and the two orders of a prompt are one verdict, their mean. The length-controlled rate
asks what the judge would say of answers of equal length: a logistic model of the verdicts on the difference of lengths,
the instruction's difficulty and the model, with the term of length set to zero. The difficulty, and the rows of two
models told to be verbose and concise that keep the model from explaining everything by length, come from AlpacaEval's
own file.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from tsodata.errors import UsageError
from tsodata.evals.items import Evaluation, Verdict, Which, judge_notes, load_verdicts, rubric_notes
from tsodata.evals.logistic import Observation, fit_logistic, sigmoid
from tsodata.reading import iter_rows
from tsodata.store import Reader

ALPACA_EVAL = Which("alpaca-eval")
JUDGES = ("weighted_alpaca_eval_gpt4_turbo", "alpaca_eval_gpt4")
_GAMED_WEIGHT = 0.1  # upstream's 0.2, over two models
_COLUMNS = ("preference", "index", "std_delta_len", "instruction_difficulty")


@dataclass(frozen=True, slots=True)
class ControlFiles:
    """AlpacaEval's df_gamed.csv, and a file of its set in its order, which its numbers point into."""

    difficulty: Path
    instructions: Path


class Control(NamedTuple):
    """What length control needs: the difficulty of each instruction by its text, and the rows of the gamed models."""

    difficulty: dict[str, float]
    gamed: list[Observation]


def alpaca_eval(
    reader: Reader,
    which: Which = ALPACA_EVAL,
    *,
    baseline: str | None = None,
    model: str | None = None,
    files: ControlFiles | None = None,
) -> Evaluation:
    """Return one row per judge, baseline and model: win rates in percent, the length-controlled one given its files.

    Raises:
        UnknownNameError: the store has no such verdicts.
        UsageError: a file of the length control does not fit.
    """
    verdicts = load_verdicts(reader, which)
    if baseline is not None:
        verdicts = list(_against(verdicts, baseline))
    verdicts = [v for v in verdicts if model in (None, v.b)]
    control = load_control(files) if files else None
    rows, notes = [], judge_notes([v.judge for v in verdicts], JUDGES, "AlpacaEval")
    notes += rubric_notes(which.rubric, ALPACA_EVAL.rubric, "AlpacaEval")
    ordered = sorted(verdicts, key=_group)
    for (by, other, name), found in groupby(ordered, _group):
        items = list(found)
        row: dict[str, object] = {"judge": by, "model": name, "baseline": other, **win_rates(items)}
        if control:
            row |= _controlled(items, control, notes)
        rows.append(row)
    if control and any(v.judge == JUDGES[1] for v in verdicts):
        notes.append(f"{JUDGES[1]}: the difficulties are those of verdicts against gpt4_1106_preview, not of these")
    rate = "lc_win_rate" if control else "win_rate"
    rows.sort(key=lambda row: (row["judge"], row["baseline"], -_number(row[rate])))
    return Evaluation(rows, notes)


def _against(verdicts: Sequence[Verdict], baseline: str) -> Iterator[Verdict]:
    """Yield a verdict per judge, prompt and answer with the baseline as A: the mean of those that are known."""
    turned = [v if v.a == baseline else _turned(v) for v in verdicts if baseline in (v.a, v.b)]

    def pair(v: Verdict) -> tuple[object, ...]:
        return v.judge, v.prompt_key, v.b, v.a_chars, v.b_chars

    for _, found in groupby(sorted(turned, key=pair), pair):
        orders = list(found)
        known = [v.preference for v in orders if v.preference is not None]
        yield orders[0]._replace(preference=math.fsum(known) / len(known) if known else None)


def _turned(v: Verdict) -> Verdict:
    preference = None if v.preference is None else 1 - v.preference
    return v._replace(a=v.b, b=v.a, preference=preference, a_chars=v.b_chars, b_chars=v.a_chars)


def _group(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.judge, verdict.a, verdict.b


def _number(value: object) -> float:
    return value if isinstance(value, float) else -math.inf


def win_rates(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the columns of the leaderboard, in percent; verdicts that are not known are left out and counted."""
    wins = [1 - v.preference for v in verdicts if v.preference is not None]
    hard = [1.0 if win > 0.5 else 0.5 if win == 0.5 else 0.0 for win in wins]
    return {
        "win_rate": 100 * math.fsum(wins) / len(wins) if wins else None,
        "standard_error": 100 * statistics.stdev(wins) / math.sqrt(len(wins)) if len(wins) > 1 else None,
        "discrete_win_rate": 100 * math.fsum(hard) / len(hard) if hard else None,
        "n": len(wins),
        "n_without": len(verdicts) - len(wins),
        "n_wins": hard.count(1.0),
        "n_draws": hard.count(0.5),
        "avg_length": sum(v.b_chars for v in verdicts) // len(verdicts),
    }


def _controlled(verdicts: Sequence[Verdict], control: Control, notes: list[str]) -> dict[str, object]:
    name = verdicts[0].b
    known = [v for v in verdicts if v.prompt in control.difficulty]
    if len(known) < len(verdicts):
        notes.append(f"{name}: {len(verdicts) - len(known)} prompts are not in the set: left out of the LC win rate")
    try:
        rate, error = length_controlled(known, control)
    except ValueError as problem:
        notes.append(f"{name}: no LC win rate: {problem}")
        return {"lc_win_rate": None, "lc_standard_error": None}
    return {"lc_win_rate": rate, "lc_standard_error": error}


def length_controlled(verdicts: Sequence[Verdict], control: Control) -> tuple[float, float]:
    """Return the length-controlled win rate and its standard error, in percent.

    Fitted by plain maximum likelihood; upstream's cross-validated L1 penalty moves the rate by 0.12 at most on the 56
    models of its leaderboard that could be recomputed.

    Raises:
        ValueError: too few verdicts, or the fit has no best answer.
    """
    lengths = [float(v.a_chars - v.b_chars) for v in verdicts]
    spread = statistics.stdev(lengths) if len(lengths) > 1 else 0.0
    if not spread:
        raise ValueError("the answers do not differ in length")
    difficulties = [control.difficulty[v.prompt] for v in verdicts]
    own = [
        Observation((math.tanh(length / spread), difficulty, 1.0), 1 - v.preference)
        for v, length, difficulty in zip(verdicts, lengths, difficulties, strict=True)
        if v.preference is not None
    ]
    _, by_difficulty, of_model = fit_logistic([*own, *control.gamed])
    wins = [sigmoid(by_difficulty * difficulty + of_model) for difficulty in difficulties]
    return 100 * math.fsum(wins) / len(wins), 100 * statistics.stdev(wins) / math.sqrt(len(wins))


def load_control(files: ControlFiles) -> Control:
    """Return what length control needs, from AlpacaEval's files.

    Raises:
        UsageError: a file is not what it should be, or the two do not fit.
    """
    instructions = _instructions(files.instructions)
    rows = _rows(files.difficulty)
    difficulty: dict[str, float] = {}
    for row in rows:
        at = int(row["index"])
        if not 0 <= at < len(instructions):
            raise UsageError(f"{files.difficulty}: index {at}, but {files.instructions} has {len(instructions)} rows")
        difficulty.setdefault(instructions[at], row["instruction_difficulty"])
    gamed = [
        Observation(
            (math.tanh(row["std_delta_len"]), row["instruction_difficulty"], 0.0), row["preference"], _GAMED_WEIGHT
        )
        for row in rows
        if not math.isnan(row["preference"])
    ]
    return Control(difficulty, gamed)


def _instructions(path: Path) -> list[str]:
    return [str(row["instruction"]) for row in _read(path, ("instruction",))]


def _rows(path: Path) -> list[dict[str, float]]:
    try:
        return [{name: float(row[name] or "nan") for name in _COLUMNS} for row in _read(path, _COLUMNS)]
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}; it should be a table of numbers, as AlpacaEval's df_gamed.csv is") from None


def _read(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for row in iter_rows(path):
        if row.value is None or any(name not in row.value for name in columns):
            problem = row.problem or f"no {' or '.join(columns)}"
            raise UsageError(f"{path}:{row.line}: {problem}; it should be AlpacaEval's own file (docs/evals.md)")
        yield row.value
