"""The SQL of a figure runs on its own, and its rows are the figure."""

import os
import re
from pathlib import Path
from statistics import fmean, median

import polars as pl
import pytest

from tsodata.stats import sections
from tsodata.stats.measuring import Measure

from .conftest import Figures

GOLDEN = Path(__file__).parent / "golden"
MEASURES = {
    (section, measure.name): measure
    for section, measures in (
        ("cells", sections.CELLS),
        ("shape", (*sections.SHAPE, sections.NEAR, sections.OFF)),
        ("margins", sections.MARGINS),
        ("quality", sections.QUALITY),
        ("length", sections.LENGTH),
        ("similarity", sections.SIMILARITY),
        ("judges", sections.JUDGES),
        ("duplicates", (*sections.DUPLICATES, *sections.OVERLAPS)),
    )
    for measure in measures
}
RULES = {
    "count": len,
    "mean": fmean,
    "share": fmean,
    "portion": fmean,
    "median": median,
}


def value_of(measure: Measure, rows: pl.DataFrame) -> float | None:
    if rows.is_empty():
        return None
    if measure.kind == "prompts":
        return rows["prompt_id"].n_unique()
    column = rows[measure.column]
    if measure.kind in ("q10", "q90"):
        return column.quantile(0.1 if measure.kind == "q10" else 0.9, "linear")
    return RULES[measure.kind](column.to_list())


def column_of(figure):
    return figure.sql.rsplit("order by ", 1)[1].split(" desc")[0]


def test_every_figure_lists_its_rows_and_is_read_from_them(tiny_once, tmp_path):
    evaluation = tmp_path / "evaluation.jsonl"
    evaluation.write_text('{"instruction": "Is water wet?"}\n')
    report = Figures(tiny_once, against=(evaluation,)).report

    for figure in report.figures:
        rows = tiny_once.sql(figure.sql)
        assert rows.height == figure.n, figure
        measure = MEASURES.get((figure.section, figure.name))
        if measure:
            assert value_of(measure, rows) == (None if figure.value is None else pytest.approx(figure.value)), figure
        elif figure.section == "wins":
            assert fmean(rows[column_of(figure)]) == pytest.approx(figure.value)
    assert {(figure.section, figure.name) for figure in report.figures} >= {
        key for key in MEASURES if key[0] != "judges"
    }


def test_the_rows_to_look_at_come_first(tiny_once, figures):
    rows = tiny_once.sql(figures.cell("empty", "small").sql)

    assert rows["is_empty"].to_list() == [True, False, False, False]


def test_the_documentation_has_a_heading_for_every_section_and_names_its_sources():
    page = (Path(__file__).resolve().parents[2] / "docs" / "stats.md").read_text(encoding="utf-8")

    assert [name for name in sections.SECTIONS if f"\n## {name}\n" not in page] == []
    sources = {measure.threshold.source for measure in MEASURES.values() if measure.threshold}
    named = {number for source in sources for number in re.findall(r"\d{4}\.\d{5}", source)}
    assert len(named) >= 7
    assert [number for number in sorted(named) if number not in page] == []


LISTED = {
    "answers": ("cells", "empty"),
    "duplicate_prompts": ("duplicates", "duplicate prompts"),
    "identical_answers": ("duplicates", "also another prompt's"),
    "judged_answers": ("cells", "judged"),
    "pair_lengths": ("length", "log ratio"),
    "pair_scores": ("margins", "pairs"),
    "pair_similarity": ("similarity", "similarity"),
    "repeated_samples": ("cells", "repeated"),
    "repeated_scores": ("judges", "ICC of one score"),
    "shape": ("shape", "prompts"),
    "verdicts": ("cells", "unparsed"),
    "wins_by_score": ("wins", "wins by score"),
}


@pytest.mark.parametrize("listing", LISTED)
def test_a_listing_gives_the_rows_written_down_for_it(tiny_once, figures, listing):
    """`TSO_UPDATE_GOLDEN=1 pytest tests/stats` writes them anew; read the difference before you keep it."""
    section, name = LISTED[listing]
    first = next(f for f in figures.report.section(section) if f.name == name)

    rows = tiny_once.sql(first.sql).write_csv(float_precision=6, null_value="null")

    golden = GOLDEN / f"{listing}.csv"
    if os.environ.get("TSO_UPDATE_GOLDEN"):
        golden.write_text(rows, encoding="utf-8")
    assert rows == golden.read_text(encoding="utf-8")


def test_scores_of_answers_are_those_that_recipes_go_by(tiny_once):
    values = {"judge": "j", "rubric": "r", "dimensions": [], "people_first": True, "calibrations": []}
    with tiny_once.reader() as reader:
        ours = [(key, score) for key, _, _, score in reader.rows("stats/answer_scores", **values)]
        all_of_them = {"sources": [], "everybody": True, "prompt_key": None}
        reader.keep("to_score", "pairs/to_score_competing", snapshot_seq=10**6, **all_of_them)
        theirs = reader.rows("pairs/scored", snapshot_seq=10**6, **values)

    assert ours == theirs
    assert len(ours) == 14
