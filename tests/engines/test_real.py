"""The engines against the real vLLM and the real `transformers serve`: `make vllm` and `make serving` run these."""

import asyncio
import os
from pathlib import Path

import pytest
import tiny_matrix

from tsodata.engines.choosing import make_engine
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, FailureKind, Request, Sampling
from tsodata.generating import StoreShelf, fill_cells, read_matrix
from tsodata.importers import ImportOptions, import_files
from tsodata.provenance import Run
from tsodata.runner import Ending, Limits
from tsodata.store import Store

SMALL = {"dtype": "float32", "enforce-eager": "true", "max-model-len": "256"}
KINDS = {
    "vllm": ("TSO_VLLM_PYTHON", "vllm", SMALL),
    "vllm-server": ("TSO_VLLM_PYTHON", "served", SMALL | {"server": "vllm"}),
    "transformers-server": ("TSO_SERVING_PYTHON", "served", {"server": "transformers", "dtype": "float32"}),
}
DIALOGUE = (
    {"role": "system", "content": "add"},
    {"role": "user", "content": "1 + 1 ="},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "3 + 4 ="},
)
QUESTIONS = [({"role": "user", "content": lesson.prompt},) for lesson in tiny_matrix.lessons()[:12]]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """Write the matrix with a few steps of teaching: enough for answers that differ."""
    folder = tmp_path_factory.mktemp("real") / "matrix"
    tiny_matrix.write(folder, steps={"v1": 4, "v2": 8})
    return folder


@pytest.fixture(params=KINDS)
def reached(request):
    """Return an engine's name and settings, where its interpreter is named."""
    variable, name, settings = KINDS[request.param]
    python = os.environ.get(variable)
    if not python:
        target = "vllm" if "VLLM" in variable else "serving"
        pytest.skip(f"{variable} names no interpreter; make {target} installs one and runs this")
    return name, settings | {"python": str(Path(python).absolute())}


@pytest.fixture(params=["vllm"])
def offline(request):
    variable, name, settings = KINDS[request.param]
    if variable not in os.environ:
        pytest.skip(f"{variable} names no interpreter; make vllm installs one and runs this")
    return name, settings | {"python": str(Path(os.environ[variable]).absolute())}


def answers(name, folder, settings, requests):
    async def go():
        engine = make_engine(name, str(folder), EngineOptions(settings=settings))
        try:
            calls = [requests] if engine.batch_size > 1 else [[request] for request in requests]
            return [one for call in calls for one in await engine.complete(call)]
        finally:
            await engine.close()

    return asyncio.run(go())


def greedy(turns, **more):
    return Request(0, turns, Sampling(temperature=0, max_tokens=8, **more), 1)


def test_greedy_answers_are_those_of_the_engine_of_this_process(matrix, reached):
    requests = [greedy(turns) for turns in (DIALOGUE, *QUESTIONS)]
    ours = answers("transformers", matrix / "adder-v2-400K", {"dtype": "float32", "device": "cpu"}, requests)
    theirs = answers(reached[0], matrix / "adder-v2-400K", reached[1], requests)

    assert [one.n_prompt_tokens for one in theirs] == [one.n_prompt_tokens for one in ours]
    assert [(one.text, one.finish_reason) for one in theirs] == [(one.text, one.finish_reason) for one in ours]


def test_draws_follow_their_seeds_and_not_the_models_own_settings(matrix, reached):
    def ask(seed):
        return Request(seed, QUESTIONS[0], Sampling(temperature=1.5, top_p=1, max_tokens=8), seed)

    first, again, *others = answers(reached[0], matrix / "adder-v1-100K", reached[1], [ask(s) for s in (5, 5, 6, 7, 8)])

    assert first.text == again.text
    assert len({one.text for one in (first, *others)}) > 1


def test_log_probabilities_and_bounds_are_those_of_the_engine_of_this_process(matrix, offline):
    requests = [greedy(DIALOGUE, top_logprobs=3), Request(0, DIALOGUE, Sampling(max_tokens=400), 1)]
    ours, _ = answers("transformers", matrix / "adder-v2-400K", {"dtype": "float32", "device": "cpu"}, requests)
    theirs, long = answers(offline[0], matrix / "adder-v2-400K", offline[1], requests)

    assert theirs.prompt_sha256 == ours.prompt_sha256
    assert [
        at == pytest.approx(other, abs=1e-4) for at, other in zip(theirs.top_logprobs, ours.top_logprobs, strict=True)
    ]
    assert isinstance(theirs, Completion)
    assert long.kind is FailureKind.TOO_LONG


def filled(store_path, matrix, name, settings, *, limits):
    """Fill what is missing, and return the store and how it ended."""
    store = Store.open(store_path, create=not store_path.exists())
    defaults = {"engine": name, "settings": settings}
    with store.run(Run.of_process({})) as run:
        import_files(store, "records", [matrix / "prompts.jsonl"], run=run, options=ImportOptions())
        asks = read_matrix(matrix / "matrix.toml", defaults)
        reports = fill_cells(store, asks, StoreShelf(store, run), limits=limits)
    return store, reports[-1].sums.ending


def request_keys(store):
    return set(store.sql("select distinct request_id from v_calls where is_accepted").rows())


@pytest.fixture(scope="module")
def whole(matrix, tmp_path_factory):
    """Fill a store at one go, in this process."""
    path = tmp_path_factory.mktemp("whole") / "s.duckdb"
    store, ending = filled(path, matrix, "transformers", {"dtype": "float32", "device": "cpu"}, limits=Limits())
    assert ending is Ending.DONE
    return store


def check_two_goes(folder, matrix, name, settings, whole):
    """Fill a store that a budget stops on the way, and look whether it comes to the same.

    The keys are the same whatever engine: name and hashes of the model are, and nothing else of an engine counts.
    """
    stopped, ending = filled(folder / "s.duckdb", matrix, name, settings, limits=Limits(budget_tokens=1500))
    assert ending is Ending.BUDGET
    assert 0 < len(request_keys(stopped)) < 4 * tiny_matrix.N_PROMPTS
    resumed, ending = filled(folder / "s.duckdb", matrix, name, settings, limits=Limits())
    assert ending is Ending.DONE
    assert request_keys(resumed) == request_keys(whole)
    counts = resumed.sql("select source, count(*), count(distinct prompt_id) from v_responses group by 1").rows()
    assert [row[1:] for row in counts] == [(tiny_matrix.N_PROMPTS, tiny_matrix.N_PROMPTS)] * 4


def test_the_matrix_is_filled_in_this_process_whole_or_in_two_goes(matrix, tmp_path, whole):
    settings = {"dtype": "float32", "device": "cpu", "batch-size": "8"}
    check_two_goes(tmp_path, matrix, "transformers", settings, whole)


def test_the_matrix_is_filled_by_the_real_engines_in_two_goes(matrix, tmp_path, reached, whole):
    small = {"batch-size": "8"} if reached[0] == "vllm" else {}
    check_two_goes(tmp_path, matrix, reached[0], reached[1] | small, whole)
