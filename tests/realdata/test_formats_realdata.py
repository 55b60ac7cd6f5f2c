"""The real files of the formats beside AlpacaEval, MT-Bench and QLoRA: sums against counts made without an importer."""

import json
import re

import pytest

from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run

pytestmark = pytest.mark.realdata


@pytest.fixture
def load(store, realdata):
    """Import files of the real data, and return the sums of each."""

    def load_files(format_name, *names, **options):
        with store.run(Run.of_process({})) as run:
            paths = [realdata / name for name in names]
            return import_files(store, format_name, paths, run=run, options=ImportOptions(**options))

    return load_files


def test_hh_rlhf_gives_one_preference_and_two_answers_a_line(load, store, realdata):
    name = "hh_rlhf/harmless-base.test.lines0001-0600.jsonl"
    with (realdata / name).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    empty = sum(not re.split(r"\n\nAssistant:", row[side])[-1].strip() for row in rows for side in row)

    (report,) = load("hh-rlhf", name)

    assert (report.rows, report.accepted) == (len(rows), len(rows)) == (600, 600)
    assert store.sql("select count(*), avg(preference) from v_preferences").row(0) == (600, 1.0)
    assert store.sql("select count(*), count(*) filter (where is_empty) from v_responses").row(0) == (1_200, empty)
    n_turns = sum(row["chosen"].count("\n\nHuman:") for row in rows)
    assert store.sql("select sum(n_turns)::bigint, count(*) from v_prompts").row(0) == (n_turns, 600)
