"""Stores of scored answers whose every number is stated by the test."""

import json

import pytest

from tsodata.correcting.asking import export_corrections
from tsodata.correcting.offering import Selection

SCALE = {"rubric": "paper", "scale_min": 2, "scale_max": 10}


@pytest.fixture
def scored(run_import):
    """Import answers with their judges' scores: {(prompt, size): {judge: number or samples}}."""

    def fill(scores, *, dimension="logic", name="scored.jsonl", raw=None, **more):
        rows = [
            {
                "prompt": prompt,
                "family": "m",
                "version": "1",
                "size": size,
                "response": f"{prompt} by {size}",
                "judgements": [
                    {**SCALE, **more, "judge": judge, "dimension": dimension, "score": value, "sample": k}
                    | ({"raw": raw.format(value)} if raw else {})
                    for judge, values in judges.items()
                    for k, value in enumerate(values if isinstance(values, list) else [values])
                ],
            }
            for (prompt, size), judges in scores.items()
        ]
        report = run_import("records", rows, name=name)
        assert (report.failed, report.skipped) == ({}, {})

    return fill


@pytest.fixture
def corrected(run_import, store, tmp_path):
    """Fill the sheet of a judge as people would: {(prompt, size): score}, by an author."""

    def fill(scores, *, judge="j", author="ann", reason=None, by=None, name=None):
        sheet = tmp_path / f"sheet-{judge}.jsonl"
        if not sheet.exists():
            export_corrections(store, Selection(judge=judge, again=True), to="jsonl", out=sheet)
        texts = {f"{prompt} by {size}": value for (prompt, size), value in scores.items()}
        rows = [json.loads(line) for line in sheet.read_text(encoding="utf-8").splitlines()]
        filled = [
            {**row, "score": texts[row["answer"]], "reason": reason, "made_at": "2026-01-02T03:04:05"}
            for row in rows
            if row["answer"] in texts
        ]
        options = {"by": by} if by else {"human": author}
        report = run_import("corrections", filled, name=name or f"filled-{judge}-{by or author}.jsonl", **options)
        assert (report.failed, report.skipped, report.rows) == ({}, {}, len(filled))

    return fill
