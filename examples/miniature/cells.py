"""The matrix: three sizes by three versions of a Llama made from nothing, and what sets them apart.

A size is trained once; its versions are checkpoints on the way. What it reads becomes cleaner from version to version.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tiny import Lesson, Shape, make_model, make_tokenizer

from miniature.texts import JUDGED_SHARE, iter_lessons
from tsodata.generating import parse_cell

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}{{ eos_token }}"
    "{% else %}={% endif %}{% endfor %}"
)
FAMILY = "mini"
VERSIONS = ("v1", "v2", "v3")


class Size(NamedTuple):
    """A size: its shape, its steps of training, and the share of spoilt texts that each version reads."""

    name: str
    shape: Shape
    n_steps: int
    dirt: tuple[float, float, float]


SIZES = (
    Size("40K", Shape(hidden=32, layers=2, heads=2, kv_heads=2), 600, (0.8, 0.7, 0.6)),
    Size("160K", Shape(hidden=64, layers=3, heads=2, kv_heads=2), 2000, (0.75, 0.6, 0.5)),
    Size("330K", Shape(hidden=96, layers=3, heads=3, kv_heads=3), 2000, (0.5, 0.3, 0.15)),
)
BASE_SIZE = "160K"
BATCH = 32
_SORTED_BATCHES = 8  # batches of texts of like length, so that little is padding
LEARNING_RATE = 3e-3
SEED = 43


def label(version: str, size: str) -> str:
    """Return a cell's label, as the store has it."""
    return parse_cell(f"{FAMILY}/{version}/{size}").label


BASE = label("v3", BASE_SIZE)
LARGEST = label("v3", SIZES[-1].name)


def folder_of(models: Path, cell: str) -> Path:
    """Return the folder of a cell's model."""
    return models / cell.replace("/", "-")


def pretrain(models: Path, size: Size, *, held_back: frozenset[str], share: float = 1.0) -> dict[str, Any]:
    """Train a size from nothing, save its versions as it passes them, and return the losses in nats a token.

    `share` is the share of its steps to take.
    """
    n_steps = int(size.n_steps * share)
    model: Any = make_model(size.shape, seed=SEED)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.01, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=n_steps + 1, pct_start=0.1)
    tokenizer = make_tokenizer(TEMPLATE)
    losses: dict[str, Any] = {}
    for place, (version, dirt) in enumerate(zip(VERSIONS, size.dirt, strict=True)):
        judged = JUDGED_SHARE if size.name == BASE_SIZE and version == VERSIONS[-1] else 0.0
        lessons = iter_lessons(dirt, judged_share=judged, seed=1000 * SEED + place, held_back=held_back)
        some: list[float] = []
        for ids_BT in islice(_iter_batches(lessons, tokenizer), n_steps // len(VERSIONS)):
            mask_BT = (ids_BT != 0).long()
            loss = model(ids_BT, attention_mask=mask_BT, labels=ids_BT.masked_fill(ids_BT == 0, -100)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            some.append(loss.item())
        cell = label(version, size.name)
        tokenizer.save_pretrained(folder_of(models, cell))
        model.save_pretrained(folder_of(models, cell))
        losses[cell] = round(sum(some[-_SORTED_BATCHES:]) / _SORTED_BATCHES, 4)
    return {"losses": losses, "n_parameters": sum(weights.numel() for weights in model.parameters())}


def _iter_batches(lessons: Iterator[Lesson], tokenizer: Any) -> Iterator[torch.Tensor]:
    """Yield token ids, padded on the right."""
    while True:
        texts = [f"<s>{lesson.prompt}={lesson.answer}</s>" for lesson in islice(lessons, BATCH * _SORTED_BATCHES)]
        texts.sort(key=len)
        starts = list(range(0, len(texts), BATCH))
        random.Random(texts[0]).shuffle(starts)
        for start in starts:
            some = texts[start : start + BATCH]
            yield tokenizer(some, return_tensors="pt", padding=True, add_special_tokens=False)["input_ids"]
