"""Processes that hold a model: ended with all that they started, whatever becomes of us, and quoted when they fail."""

import subprocess
import sys

import pytest

from tsodata.engines.children import Child

WITH_ANOTHER = "import os, subprocess, time; p = subprocess.Popen(['sleep', '300']); {then}; time.sleep(300)"
TELLS = WITH_ANOTHER.format(then="print(os.getpid(), p.pid, flush=True)")
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {TELLS}"


@pytest.fixture
def start():
    children = []

    def make(script, **env):
        children.append(Child([sys.executable, "-c", script], name="test", env=env))
        return children[-1]

    yield make
    for child in children:
        child.keeps_log = False
        child.stop()
        child.log.unlink(missing_ok=True)


def pids_in(log):
    while not (words := log.read_text().split()):
        pass
    return [int(word) for word in words]


@pytest.mark.parametrize("script", [TELLS, DEAF])
def test_stopping_one_stops_all_that_it_started_even_if_it_does_not_listen(start, is_gone, monkeypatch, script):
    monkeypatch.setattr("tsodata.engines.keeper.GRACE_S", -1.5)  # of our waiting; the keeper has its own
    child = start(script)
    pids = pids_in(child.log)
    child.stop()
    child.stop()

    assert all(is_gone(pid) for pid in pids)
    assert not child.log.exists()


def test_none_outlives_us_when_we_are_killed(tmp_path, is_gone):
    ours = f"""
import os, sys, time
from tsodata.engines.children import Child
child = Child([sys.executable, "-c", {TELLS!r}], name="test", env={{"TMPDIR": {str(tmp_path)!r}}})
print(child.log, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", ours], stdout=subprocess.PIPE, env={"TMPDIR": str(tmp_path)}) as us:
        log = tmp_path / us.stdout.readline().decode().strip().rsplit("/", 1)[1]
        pids = pids_in(log)
        us.kill()

    assert all(is_gone(pid) for pid in pids)


def test_it_is_quoted_by_the_last_line_that_tells_an_error(start):
    told = start("import sys; print('ValueError: the cause\\n  of it all'); sys.exit(3)")
    silent = start("pass")
    plain = start("print('one'); print('two')")

    assert all(child.wait(20) for child in (told, silent, plain))
    assert (told.last_words(), told.exit_code) == ("ValueError: the cause", 3)
    assert silent.last_words() == "it said nothing"
    assert plain.last_words() == "two"


def test_a_signal_that_ends_it_is_told_as_shells_do(start):
    child = start("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")

    assert child.wait(20)
    assert child.exit_code == 128 + 11


def test_its_environment_is_ours_without_secrets_and_without_the_net(start, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "canary")
    monkeypatch.setenv("openai_api_key", "canary")
    monkeypatch.setenv("KEYBOARD", "kept")
    child = start("import os; print(dict(os.environ))", ADDED="1")

    assert child.wait(20)
    said = child.log.read_text()
    assert "canary" not in said
    assert "'KEYBOARD': 'kept'" in said
    assert "'HF_HUB_OFFLINE': '1'" in said
    assert "'ADDED': '1'" in said
