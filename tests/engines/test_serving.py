"""Servers of our own: started, waited for, asked and stopped. What answers stands in for vLLM's."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tsodata.engines.choosing import make_engine
from tsodata.engines.options import EngineOptions
from tsodata.engines.serving import Server, ServingSettings, link_model, served
from tsodata.engines.templates import ChatTemplate, find_model, identify
from tsodata.errors import UsageError


@pytest.fixture
def pids(monkeypatch, tmp_path):
    monkeypatch.setenv("VLLM_STAND_IN_PIDS", str(tmp_path / "pids"))
    return lambda: [int(pid) for pid in (tmp_path / "pids").read_text().split()]


@pytest.fixture
def settings(stand_in):
    return ServingSettings(server="vllm", python=stand_in, start_timeout=30)


def served_engine(model_folder, python, **more):
    return make_engine(
        "served", str(model_folder), EngineOptions(settings={"server": "vllm", "python": python, **more})
    )


def test_a_server_is_healthy_when_the_block_runs_and_gone_with_its_children_after_it(
    model_folder, settings, pids, is_gone
):
    with served(find_model(str(model_folder)), settings) as server:
        host, port = re.fullmatch(r"http://([\d.]+):(\d+)/v1", server.endpoint).groups()
        with socket.create_connection((host, int(port)), timeout=5):
            assert host == "127.0.0.1"
        log = server.log
        assert log.exists()

    assert len(pids()) == 2
    assert all(is_gone(pid) for pid in pids())
    assert not log.exists()


def test_an_error_in_the_block_stops_the_server_too(model_folder, settings, pids, is_gone):
    with pytest.raises(KeyboardInterrupt), served(find_model(str(model_folder)), settings):
        raise KeyboardInterrupt

    assert all(is_gone(pid) for pid in pids())


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (
            "dies",
            r"^tiny: the vllm server: it ended \(exit code 1\): OSError: no such model, says the server \(log: \S+\)$",
        ),
        ("sick", r"^tiny: the vllm server: it is not healthy after 1 s: it said nothing \(log: \S+\)$"),
    ],
)
def test_a_server_that_does_not_start_is_one_line_with_its_log(model_folder, settings, monkeypatch, mood, said):
    monkeypatch.setenv("VLLM_STAND_IN_SERVER", mood)
    short = ServingSettings(server="vllm", python=settings.python, start_timeout=1 if mood == "sick" else 30)
    with pytest.raises(UsageError, match=said) as refused, served(find_model(str(model_folder)), short):
        pass

    log = Path(re.search(r"log: (\S+)\)", str(refused.value))[1])
    assert log.exists()
    log.unlink()


def test_the_engine_asks_its_server_for_the_model_by_name(model_folder, stand_in, ask, pids, is_gone):
    async def go():
        engine = served_engine(model_folder, stand_in, dtype="float32", **{"data-parallel": "2"})
        found = await asyncio.gather(*(engine.complete([ask(text, seed=5, max_tokens=4)]) for text in "ab"))
        await engine.close()
        return engine, [json.loads(one.text) for (one,) in found]

    engine, (first, second) = asyncio.run(go())

    assert [one["asked"]["messages"][0]["content"] for one in (first, second)] == ["a", "b"]
    assert first["asked"] | {"messages": 0} == {
        "model": "tiny", "messages": 0, "temperature": 0.7, "top_p": 0.9, "max_tokens": 4, "seed": 5,
    }  # fmt: skip
    assert first["options"]["--dtype"] == "float32"
    assert first["options"]["--data-parallel-size"] == "2"
    assert first["options"]["--port"] == second["options"]["--port"]  # of two calls at once, one starts it
    assert all(is_gone(pid) for pid in pids())
    assert (engine.name, engine.endpoint) == ("served:vllm", None)


def test_the_engine_knows_of_its_model_what_an_endpoint_does_not_tell(model_folder, stand_in):
    files = find_model(str(model_folder))

    assert served_engine(model_folder, stand_in).identity == identify(files, ChatTemplate.load(files))


def test_a_server_that_ends_on_the_way_ends_the_run(model_folder, stand_in, ask, monkeypatch):
    monkeypatch.setenv("VLLM_STAND_IN_SERVER", "dies-later")

    async def go():
        engine = served_engine(model_folder, stand_in)
        try:
            await engine.complete([ask("a")])
        finally:
            await engine.close()

    with pytest.raises(
        UsageError, match=r"the vllm server: it ended \(exit code 5\): ValueError: no more \(log: "
    ) as ended:
        asyncio.run(go())
    Path(re.search(r"log: (\S+)\)", str(ended.value))[1]).unlink()


def test_what_is_served_has_the_models_ends_and_none_of_its_habits(tmp_path):
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "model.safetensors").write_bytes(b"w")
    (origin / "config.json").write_text('{"bos_token_id": 1, "eos_token_id": 9}')
    habits = {"eos_token_id": [2, 3], "repetition_penalty": 1.3, "top_k": 20, "temperature": 0.1}
    (origin / "generation_config.json").write_text(json.dumps(habits))
    link_model(origin, tmp_path / "view")

    assert json.loads((tmp_path / "view" / "generation_config.json").read_text()) == {
        "bos_token_id": 1, "eos_token_id": [2, 3], "do_sample": True, "temperature": 1.0, "top_p": 1.0, "top_k": 0,
    }  # fmt: skip
    assert (tmp_path / "view" / "model.safetensors").resolve() == origin / "model.safetensors"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"server": "tgi"}, "no server 'tgi'; known are vllm, transformers"),
        ({"python": sys.executable}, "say which server .* has: one of vllm, transformers"),
        ({"server": "vllm"}, "no vllm server is installed here; name the interpreter that has one: python=PATH"),
        ({"server": "vllm", "python": "/nowhere"}, "the server: no Python interpreter at /nowhere"),
    ],
)
def test_a_server_that_is_not_there_is_refused_at_once(model_folder, given, said):
    with pytest.raises(UsageError, match=said):
        Server(find_model(str(model_folder)), ServingSettings(**given))


def test_the_command_prints_the_endpoint_and_stops_the_server_at_ctrl_c(model_folder, stand_in, pids, is_gone):
    command = [Path(sys.executable).parent / "tso-data", "serve", model_folder, "--with", "vllm", "--python", stand_in]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        line = serving.stdout.readline()
        serving.send_signal(signal.SIGINT)
        _, narrated = serving.communicate(timeout=30)

    assert re.fullmatch(r"--endpoint http://127\.0\.0\.1:\d+/v1 --model tiny\n", line)
    assert re.fullmatch(r"tiny is served by vllm; its log is \S+; Ctrl-C ends it\nstopped\n", narrated)
    assert serving.returncode == 0
    assert all(is_gone(pid) for pid in pids())
