"""A loop as on a cluster: policies and judge behind an endpoint, which a command makes serve the next, and torchrun."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tsodata.store import Store

HERE = Path(__file__).parent
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
RUBRIC = """
name = "length/1"
parser = "score-line/2"
scale = [2.0, 10.0]
samples = 1
[[forms]]
user = "{prompt} {answer} {criteria}"
[dimensions]
length = "Is it long?"
"""
SETTINGS = """
batch_pairs = 4
epochs = 1
precision = "fp32"
[loop]
name = "l"
base = "m/v2/1"
policy = "base"
recipe = "recipe.toml"
minibatches = 2
[loop.answers]
engine = "openai"
model = "policy-{stage}"
samples = 3
max_tokens = 8
[loop.judge]
rubric = "length.toml"
model = "judge"
"""
RECIPE = '[pools.self]\ndraw = "max_min"\n'


@pytest.fixture
def endpoint(place):
    """Serve what the place's served.txt says; return the address."""
    process = subprocess.Popen(
        [sys.executable, HERE / "endpoint.py", place.folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    process.kill()
    process.wait()
    process.stdout.close()


def test_policies_behind_an_endpoint_are_served_asked_judged_and_trained_by_two_processes(place, endpoint):
    (place.folder / "tso.toml").write_text(SETTINGS)
    (place.folder / "recipe.toml").write_text(RECIPE)
    (place.folder / "length.toml").write_text(RUBRIC)
    serve = [sys.executable, "-c", "import sys; open('served.txt', 'w').write(sys.argv[1])", "policy-{stage}"]
    given = {
        "loop.answers.endpoint": endpoint,
        "loop.judge.endpoint": endpoint,
        "loop.answers.serve": json.dumps(serve),
        "loop.launcher": json.dumps(TORCHRUN),
    }
    words = [word for name, value in given.items() for word in ("-s", f"{name}={value}")]

    (first,) = place.loop("--until", "build", "2", *words)["stages"]

    store = Store(place.path)
    asked = store.sql(
        "select model, json_extract_string(body, '$.revision'), count(*) from calls join settings using (settings_key) "
        "where failure is null and task = 'generate' group by all order by all"
    ).rows()
    assert [(model, n) for model, _, n in asked] == [("policy-1", 48), ("policy-2", 24)]
    assert asked[1][1] == first["policy_sha256"]
    assert store.sql("select count(*) from scores where value is not null").rows() == [(72,)]
    assert store.sql("select count(*) from v_pairs where build = 'l@2'").rows()[0][0] > 0
    assert "step 2/2" in (place.folder / "said.txt").read_text()
    assert store.sql("select status from stages").rows() == [("done",)]


def test_an_endpoint_that_serves_another_policy_ends_the_loop_in_one_line(place, endpoint):
    (place.folder / "tso.toml").write_text(SETTINGS)
    (place.folder / "recipe.toml").write_text(RECIPE)
    (place.folder / "length.toml").write_text(RUBRIC)

    said = place.loop("-s", f"loop.answers.endpoint={endpoint}", code=2)
    assert "the endpoint refuses every request (status 404: policy-1 is not served)" in said
