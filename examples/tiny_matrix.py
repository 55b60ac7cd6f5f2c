"""Make a tiny model matrix on a CPU in about a minute: two versions by two sizes of a Llama that adds.

    python examples/tiny_matrix.py FOLDER

Writes a model folder per cell, `prompts.jsonl`, and `cells.csv` with the cells, their folders, and how many of the
prompts each answers rightly. Newer versions were taught for longer, larger ones have more to learn with.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tiny import Lesson, Shape, make_model, make_tokenizer, save, teach

FAMILY = "adder"
SHAPES = {"100K": Shape(hidden=64, heads=2, kv_heads=1), "400K": Shape(hidden=128, heads=4, kv_heads=2)}
STEPS = {"v1": 120, "v2": 320}
HIGHEST = 19
N_PROMPTS = 40
ANSWER_TOKENS = 4


def lessons() -> list[Lesson]:
    """Return every sum of two numbers up to HIGHEST, in an order of the seed."""
    numbers = range(HIGHEST + 1)
    found = [Lesson(f"{a} + {b} =", str(a + b)) for a in numbers for b in numbers]
    random.Random("lessons").shuffle(found)
    return found


def write(folder: Path, *, steps: dict[str, int] = STEPS) -> dict[str, float]:
    """Write the models, the prompts and the table of cells; return each cell's share of right answers."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = lessons()[:N_PROMPTS]
    prompts = [{"prompt": lesson.prompt, "metadata": {"answer": lesson.answer}} for lesson in asked]
    (folder / "prompts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in prompts), encoding="utf-8")
    right = {}
    with (folder / "cells.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["model", "family", "version", "size", "folder"])
        for version, n_steps in steps.items():
            for size, shape in SHAPES.items():
                model = make_model(shape, seed=n_steps)
                teach(model, lessons(), steps=n_steps)
                name = f"{FAMILY}-{version}-{size}"
                save(model, folder / name)
                table.writerow([name, FAMILY, version, size, name])
                right[name] = share_right(model, asked)
    return right


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
    for cell, share in write(Path(sys.argv[1])).items():
        print(f"{cell}: {share:.0%} right")
