"""The offline engine of vLLM: its process, the lines to and from it, its deaths. What answers stands in for vLLM."""

import ast
import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tsodata.engines import vllm_worker
from tsodata.engines.options import EngineOptions
from tsodata.engines.protocol import Completion, FailureKind
from tsodata.engines.vllm import make
from tsodata.errors import UsageError

OF_ONE = re.compile(r"log: (\S+)\)$")


@pytest.fixture
def engine_of(stand_in, model_folder):
    def build(**settings):
        return make(str(model_folder), EngineOptions(settings={"python": stand_in, **settings}))

    return build


def run(engine, *calls):
    """Return what comes of calls one after the other, and close the engine."""

    async def go():
        try:
            return [await engine.complete(requests) for requests in calls]
        finally:
            await engine.close()

    return asyncio.run(go())


def told(completion):
    return json.loads(completion.text)


def removed_log(detail):
    """Return what a log held that a message names, and remove it."""
    path = Path(OF_ONE.search(detail)[1])
    text = path.read_text()
    path.unlink()
    return text


def test_answers_come_in_order_whatever_is_printed_in_between(engine_of, ask):
    first, second = run(engine_of(), [ask("a", seed=7), ask("bcd", seed=8)], [ask("e", seed=9)])

    assert [told(one)["seed"] for one in [*first, *second]] == [7, 8, 9]
    assert told(first[1])["n"] == first[1].n_prompt_tokens == first[0].n_prompt_tokens + 2
    assert told(first[0])["pid"] == told(second[0])["pid"] != os.getpid()
    assert (first[0].finish_reason, first[0].n_completion_tokens) == ("stop", 3)


def test_prompts_are_rendered_here_and_sent_as_tokens(engine_of, ask):
    engine = engine_of()
    ((answer,),) = run(engine, [ask("ü")])

    rendered = engine.template.render(ask("ü").messages)
    assert answer.prompt_sha256 == rendered.sha256
    assert told(answer)["n"] == len(rendered.ids)


def test_settings_reach_vllm_by_its_own_names(engine_of, ask, model_folder):
    settings = {"tensor-parallel": "2", "dtype": "float16", "max-model-len": "99", "enforce-eager": "true"}
    ((answer,),) = run(engine_of(**settings), [ask("a", max_tokens=1)])

    assert told(answer)["arguments"] == {
        "model": str(model_folder),
        "load_format": "safetensors",
        "trust_remote_code": False,
        "tensor_parallel_size": 2,
        "enforce_eager": True,
        "max_logprobs": 100,
        "dtype": "float16",
        "max_model_len": 99,
    }


def test_the_likeliest_tokens_come_by_their_text_without_the_drawn_one(engine_of, ask):
    ((answer,),) = run(engine_of(), [ask("a", top_logprobs=2)])

    assert answer.top_logprobs == ({"a": -0.1, "b": -2.5},)


def test_what_does_not_fit_is_too_long_and_not_sent(engine_of, ask):
    ((long, fine),) = run(engine_of(**{"max-model-len": "40"}), [ask("a", max_tokens=30), ask("a", max_tokens=3)])

    assert (long.kind, long.detail) == (
        FailureKind.TOO_LONG,
        "19 tokens of prompt and up to 30 of answer do not fit the context of 40",
    )
    assert isinstance(fine, Completion)


def test_what_vllm_does_not_take_is_a_bad_request_and_the_rest_is_answered(engine_of, ask):
    ((fine, refused, other),) = run(engine_of(), [ask("a", seed=1), ask("a", max_tokens=13), ask("a", seed=2)])

    assert (refused.kind, refused.detail) == (FailureKind.BAD_REQUEST, "13 tokens are unlucky")
    assert [told(one)["seed"] for one in (fine, other)] == [1, 2]


def test_a_process_that_dies_fails_its_call_with_its_last_words_and_is_started_again(
    engine_of, ask, monkeypatch, tmp_path
):
    (tmp_path / "n").write_text("1")
    monkeypatch.setenv("VLLM_STAND_IN_DIES", str(tmp_path / "n"))
    dead, alive = run(engine_of(), [ask("a"), ask("b")], [ask("a", seed=3)])

    assert {one.kind for one in dead} == {FailureKind.CONNECTION}
    assert dead[0].detail.startswith("vLLM ended (exit code 9): RuntimeError: the device is on fire (log: /")
    assert "more noise" in removed_log(dead[0].detail)
    assert told(alive[0])["seed"] == 3


def test_a_process_that_dies_twice_in_a_row_is_not_started_a_third_time(engine_of, ask, monkeypatch, tmp_path):
    (tmp_path / "n").write_text("9")
    monkeypatch.setenv("VLLM_STAND_IN_DIES", str(tmp_path / "n"))
    found = run(engine_of(), [ask("a")], [ask("a")], [ask("a")], [ask("a")])

    assert (tmp_path / "n").read_text() == "7"
    assert {one.kind for (one,) in found} == {FailureKind.CONNECTION}
    assert found[1] == found[2] == found[3]
    for (one,) in found[:2]:
        removed_log(one.detail)


def test_a_model_that_vllm_cannot_load_is_one_line_with_the_log(engine_of, ask, monkeypatch, model_folder):
    monkeypatch.setenv("VLLM_STAND_IN_REFUSES", "no such architecture\nand a long story")
    with pytest.raises(UsageError) as refused:
        run(engine_of(), [ask("a")])

    assert str(refused.value).startswith(f"{model_folder}: vLLM cannot load it: no such architecture (log: ")
    assert "Traceback" in removed_log(str(refused.value))


def test_an_interpreter_without_vllm_is_one_line(model_folder, ask, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    engine = make(str(model_folder), EngineOptions(settings={"python": sys.executable}))
    with pytest.raises(UsageError, match="vLLM cannot load it: No module named 'vllm'") as refused:
        run(engine, [ask("a")])
    removed_log(str(refused.value))


def test_an_interpreter_that_is_not_there_is_refused_at_once(model_folder):
    with pytest.raises(UsageError, match="vLLM: no Python interpreter at /nowhere/python; name one with python=PATH"):
        make(str(model_folder), EngineOptions(settings={"python": "/nowhere/python"}))
    with pytest.raises(UsageError, match="vLLM is not installed here; name the interpreter that has it: python=PATH"):
        make(str(model_folder), EngineOptions())


def test_closing_ends_the_process_and_removes_its_log(engine_of, ask, is_gone, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ((answer,),) = run(engine_of(), [ask("a")])

    assert is_gone(told(answer)["pid"])
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_call_ends_the_process_and_the_next_call_has_another(engine_of, ask, is_gone):
    async def go():
        engine = engine_of()
        (before,) = await engine.complete([ask("a")])
        task = asyncio.create_task(engine.complete([ask("a", stop=("slow",))]))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (after,) = await engine.complete([ask("a")])
        await engine.close()
        return told(before)["pid"], told(after)["pid"]

    before, after = asyncio.run(go())
    assert is_gone(before)
    assert before != after


def test_data_parallel_is_as_many_processes_each_with_its_gpus(engine_of, ask, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")

    async def go():
        engine = engine_of(**{"data-parallel": "2", "tensor-parallel": "2"})
        assert engine.max_concurrency == 2
        found = await asyncio.gather(*(engine.complete([ask("a", seed=i)]) for i in range(2)))
        await engine.close()
        return [told(one) for (one,) in found]

    first, second = asyncio.run(go())
    assert {first["gpus"], second["gpus"]} == {"4,5", "6,7"}
    assert first["pid"] != second["pid"]
    with pytest.raises(UsageError, match="engine vllm needs 6 GPUs, and CUDA_VISIBLE_DEVICES shows 4"):
        engine_of(**{"data-parallel": "3", "tensor-parallel": "2"})


def test_the_process_gets_no_secrets_and_nothing_of_ours(engine_of, ask, monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS_API_KEY", "canary")
    monkeypatch.setenv("SECRET_OF_OURS_TOKEN", "canary")
    ((answer,),) = run(engine_of(), [ask("a")])

    assert (told(answer)["secrets"], told(answer)["own"]) == ([], False)


def test_the_worker_imports_the_standard_library_and_vllm_alone():
    tree = ast.parse(Path(vllm_worker.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"vllm"}
