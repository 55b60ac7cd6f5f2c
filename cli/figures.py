"""What `stats` prints for people: a short table per section, and what to look at. Knows no rule of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .report import columns

if TYPE_CHECKING:
    from tsodata.correcting.agreement import AgreementReport
    from tsodata.correcting.calibrating import CalibrationReport
    from tsodata.stats import Figure, Report, Threshold

_MANY = 3  # more subjects than this become the rows of one table
_MATRIX_CELLS = 10
_MOST_LINES = 12
_HIDDEN = ("finish reason",)  # one line per source and reason: in the JSON
_NOTHING = "·"


def stats_lines(report: Report) -> Iterator[str]:
    """Yield the sections of a report, then every figure that its threshold marks."""
    yield from _head(report)
    for section in dict.fromkeys(figure.section for figure in report.figures):
        figures = [figure for figure in report.section(section) if figure.name not in _HIDDEN]
        yield ""
        yield section
        for group in groups(figures):
            yield from (_wins(group) if section == "wins" else group_lines(group))
    yield from _marked(report.figures)


def agreement_lines(report: AgreementReport) -> Iterator[str]:
    """Yield the sections of a report of agreement."""
    yield f"{' and '.join(report.judges) or 'every judge'} against {report.against}"
    yield f"intervals: 95 %, bootstrap by prompt with seed {report.seed}; --json has all figures with their SQL"
    for section in dict.fromkeys(figure.section for figure in report.figures):
        yield ""
        yield section
        for group in groups([figure for figure in report.figures if figure.section == section]):
            yield from group_lines(group)


def calibration_lines(report: CalibrationReport) -> Iterator[str]:
    """Yield the maps of a judge, and how far it is from people with and without them."""
    yield f"{report.judge} by {report.rubric} onto {report.against}; bias and absolute difference where not fitted"
    rows = [["  dimension", "fitted on", "knots", "tried on", "bias", "calibrated", "difference", "calibrated", ""]]
    for one in report.maps:
        tried = one.tried
        figures = (tried.bias, tried.bias_calibrated, tried.mae, tried.mae_calibrated)
        done = "stored" if one.is_new else ("in force" if one.judged else "too little to fit")
        sizes = [str(one.n_items), str(len(one.judged)), str(tried.n)]
        rows.append([f"  {one.dimension}", *sizes, *(_number(figure, "score") for figure in figures), done])
    yield from columns(rows, to_the_left=(8,))


def _head(report: Report) -> Iterator[str]:
    builds = ", ".join(report.builds) or "none"
    scores = f"{report.judge} by {report.rubric}" if report.judge else "not chosen"
    yield f"builds: {builds}; base: {report.base or 'none'}; scores: {scores}"
    yield f"intervals: 95 %, bootstrap with seed {report.seed} or exact; --json has all figures with their SQL"


def groups(figures: Sequence[Figure]) -> list[list[Figure]]:
    """Return the figures by what their subjects are made of."""
    found: dict[tuple[str, ...], list[Figure]] = {}
    for figure in figures:
        found.setdefault(tuple(figure.subject), []).append(figure)
    return list(found.values())


def group_lines(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield a table per subject, or one of all where there are many; they are made of the same names."""
    subjects = list(dict.fromkeys(_label(figure) for figure in figures))
    if len(subjects) > _MANY:
        yield from _crossed(figures, subjects)
        return
    for subject in subjects:
        rows = [_row(figure) for figure in figures if _label(figure) == subject and figure.value is not None]
        if subject:
            yield f"  {subject}"
        if not rows:
            yield "    nothing to tell: no row has a value"
            continue
        yield from columns([["    figure", "value", "95 %", "n", "unit", "verdict"], *rows], to_the_left=(4, 5))


def _label(figure: Figure) -> str:
    values = [value for name, value in figure.subject.items() if name not in ("source", "against")]
    source, against = figure.subject.get("source"), figure.subject.get("against")
    return ", ".join(([f"{source} over {against}" if against else source] if source else []) + values)


def _row(figure: Figure) -> list[str]:
    interval = figure.interval
    between = f"{_number(interval.low, figure.unit)} to {_number(interval.high, figure.unit)}" if interval else ""
    value = _number(figure.value, figure.unit)
    return [f"    {figure.name}", value, between, str(figure.n), figure.unit, figure.verdict or ""]


def _crossed(figures: Sequence[Figure], subjects: Sequence[str]) -> Iterator[str]:
    names = list(dict.fromkeys(figure.name for figure in figures))
    by_place = {(_label(figure), figure.name): figure for figure in figures}
    rows = [[f"  {', '.join(figures[0].subject)}", *names]]
    rows += [[f"  {subject}", *(_cell(by_place.get((subject, name))) for name in names)] for subject in subjects]
    yield from columns(rows)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return _NOTHING
    return _number(figure.value, figure.unit) + ("!" if _is_marked(figure) else "")


def _is_marked(figure: Figure) -> bool:
    return figure.threshold is not None and figure.verdict == figure.threshold.without


def _wins(figures: Sequence[Figure]) -> Iterator[str]:
    others = [name for name in figures[0].subject if name not in ("source", "against")]
    for kind in dict.fromkeys(tuple(figure.subject[name] for name in others) for figure in figures):
        found = [figure for figure in figures if tuple(figure.subject[name] for name in others) == kind]
        yield f"  {', '.join((found[0].name, *kind))}: {len(found) // 2} comparisons of two cells"
        sources = list(dict.fromkeys(figure.subject["source"] for figure in found))
        if len(sources) <= _MATRIX_CELLS:
            yield from _matrix(found, sources)
        roles = sorted((f for f in found if f.threshold), key=lambda f: -(f.value or 0))
        if roles:
            yield from columns(
                [
                    ["    rejected source over chosen source", "wins", "95 %", "n", "unit", "verdict"],
                    *(_versus(figure) for figure in roles[:_MOST_LINES]),
                ],
                to_the_left=(4, 5),
            )
        if len(roles) > _MOST_LINES:
            yield f"    and {len(roles) - _MOST_LINES} that win less"


def _matrix(figures: Sequence[Figure], sources: Sequence[str]) -> Iterator[str]:
    by_place = {(figure.subject["source"], figure.subject["against"]): figure for figure in figures}
    rows = [["    wins of the row over", *sources]]
    rows += [[f"    {source}", *(_cell(by_place.get((source, other))) for other in sources)] for source in sources]
    yield from columns(rows)


def _versus(figure: Figure) -> list[str]:
    return [f"    {figure.subject['source']} over {figure.subject['against']}", *_row(figure)[1:]]


def _marked(figures: Sequence[Figure]) -> Iterator[str]:
    marked = [figure for figure in figures if _is_marked(figure)]
    yield ""
    yield f"to look at: {len(marked) or 'nothing'}"
    for figure in marked[:_MOST_LINES]:
        assert figure.threshold
        where = f" of {_label(figure)}" if figure.subject else ""
        value, limits = _number(figure.value, figure.unit), _limits(figure.threshold, figure.unit)
        yield f"  {figure.section}: {figure.name}{where} is {value}, wanted {limits} ({figure.threshold.source})"
    if len(marked) > _MOST_LINES:
        yield f"  and {len(marked) - _MOST_LINES} more, marked ! above and in the JSON"


def _limits(threshold: Threshold, unit: str) -> str:
    low, high = (_number(limit, unit) for limit in (threshold.low, threshold.high))
    if threshold.low is None or threshold.high is None:
        return f"at most {high}" if threshold.low is None else f"at least {low}"
    return f"{low} to {high}"


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return _NOTHING
    if unit == "share":
        return f"{value:.1%}"
    if unit in ("answers", "prompts", "pairs"):
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
