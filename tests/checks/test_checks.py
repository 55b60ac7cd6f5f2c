"""What the checks look at, and what they say; breaks that the store's own verbs can make."""

import json
import re
import shutil
from datetime import datetime

import pytest
from tsocli.checking import check_lines

from tsodata import queries
from tsodata.acknowledged import mark_path
from tsodata.checks import check_store, every_check
from tsodata.errors import UnknownNameError, UsageError
from tsodata.provenance import Run, format_id
from tsodata.records import Correction, Prompt, Response, Rubric, Score, Source

MADE_AT = datetime(2026, 1, 2)  # noqa: DTZ001  the store keeps UTC without a zone
PROMPT, SOURCE = Prompt.of_user("A new question."), Source.model("owl", "v9", 7)
ANSWER = Response(PROMPT.prompt_key, SOURCE.source_key, "An answer.")
RUBRIC = Rubric("new", scale_min=1, scale_max=5)


def score(value, **known):
    where = (PROMPT.prompt_key, SOURCE.source_key, ANSWER.response_key)
    return Score(None, *(known.get(n, v) for n, v in zip(("prompt", "source", "response"), where, strict=True)),
                 "j", "model", RUBRIC.rubric_key, "overall", value=value)  # fmt: skip


def sample(index, seed, text="The same words."):
    return Response(PROMPT.prompt_key, SOURCE.source_key, text, sample_index=index, seed=seed)


def correction(value):
    where = (PROMPT.prompt_key, ANSWER.response_key, RUBRIC.rubric_key, "overall")
    return Correction(*where, value, "ann", "human", None, MADE_AT)


@pytest.fixture
def add(copy):
    def add_all(*records):
        grouped = {}
        for record in (PROMPT, SOURCE, ANSWER, RUBRIC, *records):
            grouped.setdefault(type(record), []).append(record)
        with copy.run(Run("add")) as run, copy.transaction(run) as transaction:
            transaction.append(grouped)
        return run

    return add_all


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([score(5.0), correction(1)], {}),
        ([score(5.5)], {"scores-out-of-scale": 1}),
        ([correction(0.5)], {"scores-out-of-scale": 1}),
        ([score(3, response=12)], {"orphans": 1}),
        ([score(3, prompt=12)], {"misplaced-verdicts": 1}),
        ([score(3, source=12)], {"misplaced-verdicts": 1}),
        ([sample(0, 7), sample(1, 7), sample(2, 7)], {"same-seed-samples": 1}),
        ([sample(0, 7), sample(1, 8), sample(0, 7, "Other words.")], {}),
        ([sample(0, None), sample(1, None)], {}),
        ([Response(13, SOURCE.source_key, "An answer to nobody.")], {"orphans": 1}),
    ],
)
def test_what_was_stored_is_looked_at_with_the_rest(add, found, records, expected):
    add(*records)

    assert found() == expected


def test_builds_of_every_recipe_are_clean(every_kind, found):
    assert every_kind.sql("select count(*) from builds").item() > 8
    assert found() == {}


def test_a_run_without_an_end_is_a_notice_and_breaks_no_rule(copy):
    with pytest.raises(SystemExit), copy.run(Run("killed")):
        raise SystemExit  # neither an error nor an interruption: nothing records it, as with a kill

    report = check_store(copy)
    assert [(f.check.name, f.check.level, f.n_rows) for f in report.findings] == [("unfinished-runs", "notice", 1)]
    assert report.is_clean


@pytest.mark.parametrize(
    ("file", "problem"),
    [("manifest.json", "no record tells of it"), ("data/train-00000-of-00001.parquet", "has another hash")],
)
def test_a_changed_file_of_an_export_is_told(copy, exported, file, problem):
    with (exported / file).open("ab") as opened:
        opened.write(b" ")

    (finding,) = check_store(copy).findings
    assert finding.check.name == "changed-exports"
    assert finding.first_rows == [{"id": str(exported), "file": file, "problem": problem}]


def test_an_export_of_which_a_part_is_gone_breaks_a_rule_and_one_that_is_gone_does_not(copy, exported, found):
    assert found() == {}
    (exported / "data/train-00000-of-00001.parquet").unlink()
    assert found() == {"changed-exports": 1}

    shutil.rmtree(exported)
    assert found() == {"missing-exports": 1}
    assert check_store(copy).is_clean


def test_only_what_a_run_and_later_ones_added_is_looked_at(add, by_hand, found):
    by_hand("update responses set text = 'other words' where response_key = (select min(response_key) from responses)")
    run = format_id("run", add(score(9.0)).key)

    assert found() == {"changed-records": 1, "scores-out-of-scale": 1}
    assert found(since=run) == {"scores-out-of-scale": 1}
    assert found(keys=False) == {"scores-out-of-scale": 1}


def test_a_run_that_is_not_there_is_refused(copy):
    with pytest.raises(UnknownNameError, match="v_runs"):
        check_store(copy, since="run1-0123456789abcdef")
    with pytest.raises(UsageError, match="not a run id"):
        check_store(copy, since="yesterday")


def test_a_store_without_a_mark_is_told(copy, found):
    mark_path(copy.path).unlink()

    assert found() == {"unmarked-store": 1}


def test_the_rows_are_counted_all_and_shown_in_part(copy, by_hand):
    by_hand("update scores set value = -1")

    report = check_store(copy, n_shown=2)
    lines = list(check_lines(report))

    (shown,) = (f for f in report.findings if f.check.name == "scores-out-of-scale")
    assert (shown.n_rows, len(shown.first_rows)) == (720, 2)
    assert lines[0].endswith("rules are broken")
    assert "  … and 718 more; --json has all" in lines
    assert json.dumps(shown.first_rows)


@pytest.mark.parametrize("check", ["commit-log", "duplicate-keys"])
def test_every_table_is_looked_at(copy, check):
    tables = set(copy.sql("select table_name from duckdb_tables() where table_name <> 'schema_files'").to_series())
    logged = tables - ({"commits", "commit_tables"} if check == "commit-log" else set())

    assert {name for name in logged if not re.search(rf"\bfrom {name}\b", queries.load(f"checks/{check}").sql)} == set()


def test_every_reference_is_followed(copy):
    columns = copy.sql(
        "select table_name, column_name from duckdb_columns() where column_name like '%\\_key' escape '\\' "
        "and column_index > 1 and table_name in (select table_name from duckdb_tables())"
    ).rows()
    elsewhere = {
        "text_key",
        "request_key",
        "snapshot_key",
        "chosen_key",
        "rejected_key",
        "chosen_source_key",
        "rejected_source_key",
    }
    followed = queries.load("checks/orphans").sql
    by_other_checks = {
        ("commits", "run_key"),  # commits-without-run
        ("commits", "file_key"),
        ("build_responses", "prompt_key"),  # misplaced-sides
        ("build_responses", "source_key"),
        ("scores", "prompt_key"),  # misplaced-verdicts: they are those of the answer
        ("scores", "source_key"),
        ("corrections", "prompt_key"),
        ("preferences", "prompt_key"),
        ("shown_responses", "settings_key"),
        ("shown_responses", "previous_key"),
        ("build_responses", "build_key"),
    }

    missing = {
        (table, column)
        for table, column in columns
        if column not in elsewhere and not re.search(rf"= {table}\.{column}\n", followed)
    }
    assert missing <= by_other_checks


def test_every_check_has_a_fault_and_a_level():
    checks = every_check()

    assert len(checks) == len({check.name for check in checks}) >= 20
    assert all(check.fault and check.question.endswith("?") for check in checks)
    assert {check.level for check in checks} == {"violation", "notice"}
