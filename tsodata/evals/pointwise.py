"""Figures from scores of single answers: MT-Bench, AlignBench, and a bench of one's own by theme.

None of them makes a number of a score that is missing: such scores are left out and counted.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from tsodata.evals.items import Evaluation, Scored, Which, bootstrap, judge_notes, load_scores, rubric_notes
from tsodata.store import Reader

_REASONING = ("数学计算", "逻辑推理")
_LANGUAGE = ("基本任务", "中文理解", "综合问答", "文本写作", "角色扮演", "专业能力")
OVERALL = "overall"
MT_BENCH, ALIGN_BENCH = Which("mt-bench"), Which("alignbench")
ALIGN_OVERALL = (OVERALL, "综合得分")


def mt_bench(reader: Reader, which: Which = MT_BENCH, *, model: str | None = None, seed: int = 43) -> Evaluation:
    """Return one row per judge and model: the means of both turns and of all scores, 1 to 10.

    The average is over all scores, as FastChat's, not of the two turns' means; its interval is a bootstrap over scores.
    """
    scores = _of_model(load_scores(reader, which), model)
    rows = []
    for (by, name), found in _by_model(scores):
        values = [(s.n_turns, s.value) for s in found if s.value is not None]
        everything = [value for _, value in values]
        row: dict[str, object] = {"judge": by, "model": name, "average": mean(everything)}
        row |= _interval(everything, seed)
        row |= {f"turn_{turn}": mean(v for t, v in values if t == turn) for turn in (1, 2)}
        rows.append(row | _counts(found))
    notes = judge_notes([s.judge for s in scores], ("gpt-4",), "MT-Bench")
    notes += rubric_notes(which.rubric, MT_BENCH.rubric, "MT-Bench")
    return Evaluation(_best_first(rows, "average"), notes)


def align_bench(reader: Reader, which: Which = ALIGN_BENCH, *, model: str | None = None) -> Evaluation:
    """Return one row per judge and model: AlignBench's total, its two halves, and the mean of each category, 1 to 10.

    The total is the mean of reasoning and language, and each of these is the mean of its categories' means. Upstream
    counts an answer whose score was not read as -1; here it is left out, and told.
    """
    scores = _of_model(load_scores(reader, which), model)
    rows = []
    for (by, name), found in _by_model(scores):
        total = [s for s in found if s.dimension in ALIGN_OVERALL]
        categories = {c: mean(_values(s for s in total if c in s.tags)) for c in (*_REASONING, *_LANGUAGE)}
        reasoning, language = (_mean_of_all([categories[c] for c in half]) for half in (_REASONING, _LANGUAGE))
        row: dict[str, object] = {"judge": by, "model": name, "total": _mean_of_all([reasoning, language])}
        row |= {"reasoning": reasoning, "language": language, **categories}
        dimensions = sorted({s.dimension for s in found} - set(ALIGN_OVERALL))
        row |= {f"dimension {d}": mean(_values(s for s in found if s.dimension == d)) for d in dimensions}
        rows.append(row | _counts(total))
    notes = judge_notes([s.judge for s in scores], ("gpt-4-0613", "CritiqueLLM"), "AlignBench")
    notes += rubric_notes(which.rubric, ALIGN_BENCH.rubric, "AlignBench")
    return Evaluation(_best_first(rows, "total"), notes)


def self_bench(reader: Reader, which: Which, *, model: str | None = None, seed: int = 43) -> Evaluation:
    """Return one row per judge, model and theme (a tag of the prompts), and one for the mean of the themes.

    A prompt counts once: the mean of its scores over dimensions and samples. The overall row weighs each theme alike,
    as the paper's TSO-Self-Bench of 13 themes does; its interval is a bootstrap over prompts, theme by theme.
    """
    scores = _of_model(load_scores(reader, which), model)
    rows: list[dict[str, object]] = []
    for (by, name), found in _by_model(scores):
        themes = _themes(found)
        for theme, prompts in sorted(themes.items()):
            row: dict[str, object] = {"judge": by, "model": name, "theme": theme, "mean": mean(prompts)}
            rows.append(row | _interval(prompts, seed) | {"n": len(prompts)})
        means = [mean(prompts) for prompts in themes.values()]
        n_prompts = sum(len(prompts) for prompts in themes.values())
        overall: dict[str, object] = {"judge": by, "model": name, "theme": OVERALL, "mean": _mean_of_all(means)}
        rows.append(overall | _interval_of_themes(themes, seed) | {"n": n_prompts})
    return Evaluation(rows)


def mean(values: Iterable[float]) -> float | None:
    """Return the mean, exactly rounded; None of nothing."""
    found = list(values)
    return math.fsum(found) / len(found) if found else None


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    """Return the mean of means, None where one of them is missing: a figure of half the bench is no figure of it."""
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def _values(scores: Iterable[Scored]) -> list[float]:
    return [s.value for s in scores if s.value is not None]


def _themes(scores: Sequence[Scored]) -> dict[str, list[float]]:
    by_prompt: dict[tuple[int, str], list[float]] = defaultdict(list)
    for s in scores:
        for theme in s.tags or ("(no tag)",):
            by_prompt[s.prompt_key, theme] += [] if s.value is None else [s.value]
    themes: dict[str, list[float]] = defaultdict(list)
    for (_, theme), values in by_prompt.items():
        themes[theme] += [math.fsum(values) / len(values)] if values else []
    return {theme: prompts for theme, prompts in themes.items() if prompts}


def _interval(values: Sequence[float], seed: int) -> dict[str, object]:
    if len(values) < 2:
        return {"low": None, "high": None}
    low, high = bootstrap(values, lambda drawn: math.fsum(drawn) / len(drawn), seed=seed)
    return {"low": low, "high": high}


def _interval_of_themes(themes: Mapping[str, Sequence[float]], seed: int) -> dict[str, object]:
    """Return the interval of the mean of independent themes: half-widths add in squares."""
    if not themes or any(len(values) < 2 for values in themes.values()):
        return {"low": None, "high": None}
    centre = math.fsum(math.fsum(values) / len(values) for values in themes.values()) / len(themes)
    sides = [bootstrap(values, lambda drawn: math.fsum(drawn) / len(drawn), seed=seed) for values in themes.values()]
    centres = [math.fsum(values) / len(values) for values in themes.values()]
    below = math.sqrt(math.fsum((c - low) ** 2 for c, (low, _) in zip(centres, sides, strict=True))) / len(themes)
    above = math.sqrt(math.fsum((high - c) ** 2 for c, (_, high) in zip(centres, sides, strict=True))) / len(themes)
    return {"low": centre - below, "high": centre + above}


def _of_model(scores: Sequence[Scored], model: str | None) -> list[Scored]:
    return [s for s in scores if model in (None, s.model)]


def _by_model(scores: Sequence[Scored]) -> list[tuple[tuple[str, str], list[Scored]]]:
    def name(s: Scored) -> tuple[str, str]:
        return s.judge, s.model

    return [(names, list(found)) for names, found in groupby(sorted(scores, key=name), name)]


def _counts(scores: Sequence[Scored]) -> dict[str, object]:
    return {"n": len(_values(scores)), "n_without": sum(s.value is None for s in scores)}


def _best_first(rows: list[dict[str, object]], figure: str) -> list[dict[str, object]]:
    def place(row: dict[str, object]) -> tuple[str, float]:
        value = row[figure]
        return str(row["judge"]), -value if isinstance(value, float) else math.inf

    return sorted(rows, key=place)
