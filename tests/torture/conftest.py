"""Commands as processes of their own, on folders of their own, and a disk that is soon full."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tsodata.checks import check_store
from tsodata.store import Store

MODELS = "name,family,version,size\ntiny,m,v1,1\nold-7,m,v1,7\nbase-m,m,v2,7\nlarge-13,m,v2,13\n"
PROGRAM = Path(sys.executable).parent / "tso-data"
DISK_MB = 8


@pytest.fixture
def command(tmp_path):
    """Return a command that can be started or run in the test's folder."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("TSO_")}

    class Command:
        @staticmethod
        def start(*words, **settings):
            return subprocess.Popen(
                [PROGRAM, *words],
                cwd=tmp_path,
                env=env | settings,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        @classmethod
        def run(cls, *words, code=0, **settings):
            process = cls.start(*words, **settings)
            out, said = process.communicate()
            assert process.returncode == code, out + said
            return said if code else out

    return Command


@pytest.fixture
def write_rows(tmp_path):
    """Write rows of four judged models, and the table of the models."""

    def write(n_prompts, *, name="rows.jsonl", first=0, n_noise=0):
        (tmp_path / "models.csv").write_text(MODELS)
        draw = random.Random(first)
        with (tmp_path / name).open("w") as file:
            for i in range(first, first + n_prompts):
                for model in ("tiny", "old-7", "base-m", "large-13"):
                    noise = "".join(draw.choices("abcdefgh ", k=n_noise))  # which does not compress well
                    row = {"prompt": f"q{i}", "model": model, "response": f"{model} says {i} {noise}"}
                    file.write(json.dumps(row | {"judge": "j", "score": len(model) + i % 3}) + "\n")
        return name

    return write


@pytest.fixture
def violations():
    """Return the names of the checks that a store breaks; also that it can be opened."""

    def names(path):
        report = check_store(Store.open(path, wait_s=20))
        return [finding.check.name for finding in report.findings if finding.check.level == "violation"]

    return names


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of a few megabytes, with a file that fills it at will."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(where)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)
