"""A store filled by the commands, as people type them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = [
    {
        "prompt": f"q{i}",
        "model": model,
        "response": f"{model} says {i}",
        "judge": "j",
        "score": 2 + i + len(model),
        "raw": "words",
    }
    for i in range(6)
    for model in ("tiny", "old-7", "base-m", "large-13")
]
MODELS = "name,family,version,size\ntiny,m,v1,1\nold-7,m,v1,7\nbase-m,m,v2,7\nlarge-13,m,v2,13\n"


@pytest.fixture
def tso(tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "models.csv").write_text(MODELS)
    env = {key: value for key, value in os.environ.items() if not key.startswith("TSO_")}

    def run(*words, code=0, out=False):
        done = subprocess.run(
            [Path(sys.executable).parent / "tso-data", *words],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code and not out else done.stdout

    return run


@pytest.fixture
def filled(tso):
    tso("import", "records", "rows.jsonl", "--models", "models.csv")
    tso("build-pairs", "b", "--base", "m/v2/7", "--recipe", "weighted", "--allow-short")
    return tso
