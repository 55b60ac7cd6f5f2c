"""Make a tiny model matrix on a CPU in about a minute: two versions by two sizes of a Llama that adds.

    python examples/tiny_matrix.py FOLDER
    tso-data init
    tso-data import records FOLDER/prompts.jsonl
    tso-data generate --matrix FOLDER/matrix.toml --engine transformers

Writes a model folder per cell, `prompts.jsonl`, and `matrix.toml` with the cells and their folders; prints how many of
the prompts each cell answers rightly. Newer versions were taught for longer, larger ones have more to learn with.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from tiny import Lesson, Shape, make_model, make_tokenizer, save, teach

FAMILY = "adder"
SHAPES = {"100K": Shape(hidden=64, heads=2, kv_heads=1), "400K": Shape(hidden=128, heads=4, kv_heads=2)}
STEPS = MappingProxyType({"v1": 120, "v2": 320})
HIGHEST = 19
N_PROMPTS = 40
ANSWER_TOKENS = 4


def lessons() -> list[Lesson]:
    """Return every sum of two numbers up to HIGHEST, in an order of the seed."""
    numbers = range(HIGHEST + 1)
    found = [Lesson(f"{a} + {b} =", str(a + b)) for a in numbers for b in numbers]
    random.Random("lessons").shuffle(found)
    return found


def write(folder: Path, *, steps: Mapping[str, int] = STEPS) -> dict[str, Any]:
    """Write the models, the prompts and the matrix; return the models by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = lessons()[:N_PROMPTS]
    rows = [{"messages": [{"role": "user", "content": lesson.prompt}]} for lesson in asked]
    (folder / "prompts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    models: dict[str, Any] = {}
    cells = []
    for version, n_steps in steps.items():
        for size, shape in SHAPES.items():
            model = make_model(shape, seed=n_steps)
            teach(model, lessons(), steps=n_steps)
            home = folder / f"{FAMILY}-{version}-{size}"
            save(model, home)
            models[home.name] = model
            where = json.dumps(str(home))  # a text of JSON is one of TOML
            cells.append(
                f'[[cells]]\ncell = "{FAMILY}/{version}/{size}"\nmodel = {where}\nmax_tokens = {ANSWER_TOKENS}\n'
            )
    (folder / "matrix.toml").write_text("\n".join(cells), encoding="utf-8")
    return models


def share_right(model: Any, asked: Sequence[Lesson]) -> float:
    """Return the share of prompts whose greedy answer is right."""
    tokenizer = make_tokenizer()
    n_right = 0
    for lesson in asked:
        turns: list[dict[str, str]] = [{"role": "user", "content": lesson.prompt}]
        ids_1T = torch.tensor([tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)])
        said_1T = model.generate(ids_1T, max_new_tokens=ANSWER_TOKENS, do_sample=False)
        said = tokenizer.decode(said_1T[0, ids_1T.shape[1] :], skip_special_tokens=True)
        n_right += said == lesson.answer
    return n_right / len(asked)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, taught in write(Path(sys.argv[1])).items():
        print(f"{name}: {share_right(taught, lessons()[:N_PROMPTS]):.0%} right")
