"""A folder with all that a loop needs: a tiny base, a tinier older version, a store with people's answers, settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tiny import Shape, make_model, save

GRADER = Path(__file__).with_name("grader.py")
SCRIPTS = Path(sys.executable).parent
BASE, OLDER = "m/v2/1", "m/v1/1"
RECIPE = """
[pools.matrix]
share = 0.5
chosen = { human = 1.0 }
rejected = { older = 1.0 }
[pools.self]
share = 0.5
draw = "max_min"
[scores]
judge = "rule"
"""
SETTINGS = """
batch_pairs = 4
epochs = 2
precision = "fp32"
checkpoint_steps = 1
max_norm_growth = 1e9
[optimizer]
learning_rate = 1e-2
[loop]
name = "l"
base = "m/v2/1"
policy = "base"
recipe = "recipe.toml"
minibatches = 2
passes = 2
[loop.answers]
matrix = "cells.toml"
engine = "transformers"
samples = 3
temperature = 1.0
max_tokens = 6
settings = { device = "cpu", dtype = "float32", batch_size = 8 }
[loop.judge]
"""
CELLS = """
[[cells]]
cell = "m/v1/1"
engine = "transformers"
model = "older"
samples = 1
settings = { device = "cpu", dtype = "float32", batch_size = 8 }
"""


class Place:
    """The folder, and commands run in it."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "tso.duckdb"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TSO_")}
        self.env |= {"OMP_NUM_THREADS": "1"}

    def fill(self, *, n_prompts=16):
        """Make the models, the store and the settings."""
        save(make_model(), self.folder / "base")
        save(make_model(Shape(16, 1, 2, 2), seed=1), self.folder / "older")
        rows = [
            {"prompt": f"what is {i}?", "response": f"a person says {i}", "human": True, "dataset": "d"}
            for i in range(n_prompts)
        ]
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (self.folder / "recipe.toml").write_text(RECIPE)
        (self.folder / "cells.toml").write_text(CELLS)
        command = json.dumps([sys.executable, str(GRADER), "{store}", "{base}"])
        (self.folder / "tso.toml").write_text(f"{SETTINGS}command = {command}\n")
        self.run("tso-data", "import", "records", "rows.jsonl")
        return self

    def start(self, *words, **env):
        """Start a command."""
        return subprocess.Popen(
            [SCRIPTS / words[0], *words[1:]],
            cwd=self.folder,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words, code=0):
        """Run a command to its end; return what it printed, or what it said where it is to fail."""
        process = self.start(*words)
        out, said = process.communicate(timeout=300)
        (self.folder / "said.txt").write_text(said)
        assert process.returncode == code, out + said
        return said if code else out

    def loop(self, *words, code=0):
        """Run a loop, and return what it has come to, or what it said where it is to fail."""
        said = self.run("tso-train", "loop", "--json", *words, code=code)
        return said if code else json.loads(said)
