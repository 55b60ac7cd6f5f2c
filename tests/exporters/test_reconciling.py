"""Whatever a build holds, every pair or answer of it is written or refused with a reason, in every format."""

import contextlib
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tsodata.errors import ExportRefusedError
from tsodata.exporters import FORMATS, export_build
from tsodata.provenance import Run
from tsodata.records import Prompt
from tsodata.store import Store

ROLES = st.lists(st.sampled_from(["user", "assistant"]), max_size=3)
WORDS = st.sampled_from(["", " \n", "a", "b", " b ", "b\u3000", "|", '"', "\x1f", "\u2028c"])
SMALL = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def prompts(draw):
    """Draw a prompt of few words, so that several rows meet on one; some hold the answering model's own turns."""
    head = [("system", "s")] if draw(st.booleans()) else []
    turns = [
        (role, draw(st.sampled_from(["x", "y", None] if role == "assistant" else ["x", "y"]))) for role in draw(ROLES)
    ]
    messages = [*head, *turns, ("user", draw(st.sampled_from(["x", "y"])))]
    return Prompt(tuple({"role": role, "content": content} for role, content in messages))


def n_lines(directory, to):
    """Count the rows in the files of an export, by split."""
    counts = {}
    for split in FORMATS[to].splits.values():
        path = directory / FORMATS[to].file_of(split)
        if path.is_file() and path.suffix == ".jsonl":
            counts[split] = path.read_bytes().count(b"\n")
        elif path.is_file():
            counts[split] = parquet.ParquetFile(path).metadata.num_rows
    return counts


def check(store, folder, *, to, n_in):
    report = None
    with contextlib.suppress(ExportRefusedError):  # where nothing is left to train on
        report = export_build(store, "first", to=to, out=folder / to, run=Run("test"))
    if report is None:
        assert not (folder / to).exists()
        return
    assert sum(report.written.values()) + report.refused.total() == n_in
    assert n_lines(folder / to, to) == report.rows
    if to not in ("kto", "ranked"):
        assert report.rows == report.written
    for split, n_rows in report.rows.items():
        for ids in (folder / to).glob(f"*_ids/{split}.txt"):
            assert len(ids.read_text().splitlines()) == n_rows


@SMALL
@given(data=st.data())
def test_pairs_in_are_pairs_written_and_refused(add_pairs_build, make_pair, data):
    drawn = data.draw(
        st.lists(st.tuples(prompts(), WORDS, WORDS, st.sampled_from([1, 2, None])), min_size=1, max_size=8)
    )
    specs = {}
    for prompt, chosen, rejected, minibatch in drawn:
        spec = make_pair(prompt, chosen, rejected, minibatch=minibatch)
        specs.setdefault(spec.pair_key, spec)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "s.duckdb", create=True)
        add_pairs_build(store, "first", specs.values())
        for to in (name for name in FORMATS if name != "ranked"):
            check(store, Path(folder), to=to, n_in=len(specs))


@SMALL
@given(data=st.data())
def test_answers_in_are_answers_written_and_refused(add_answers_build, make_answer, data):
    drawn = data.draw(st.lists(st.tuples(prompts(), WORDS, st.none() | st.floats(1, 10)), min_size=1, max_size=12))
    specs, places = {}, Counter()
    for prompt, text, score in drawn:
        spec = make_answer(prompt, text, place=places[prompt.prompt_key] + 1, score=score)
        if spec.response_id not in specs:
            specs[spec.response_id] = spec
            places[prompt.prompt_key] += 1
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "s.duckdb", create=True)
        add_answers_build(store, "first", specs.values())
        for to in ("sft", "ranked"):
            check(store, Path(folder), to=to, n_in=len(specs))
