"""Chat records to tune on: files of `messages`, of which the last is the assistant's answer.

A record may have an `id`, and a `split`; without one its file's name tells it, as `train-…` or `held_out-…`. Of an
export's folder its `data/` is read. Every row is a record or has a reason why not. Knows no tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tsodata.reading import RawRow, find_files, iter_rows
from tsotrain.errors import TrainError

ROLES = ("system", "user", "assistant")
TRAIN, HELD_OUT = "train", ("held_out", "test")  # a data set's second split is "test" in most formats
_FILE_KINDS = (".jsonl", ".json", ".parquet")


class ChatRecord(NamedTuple):
    """A conversation whose last turn is to be learnt, or to be held out."""

    record_id: str  # its own id, or the place where it stands
    messages: tuple[dict[str, str], ...]
    is_held_out: bool


class Refusal(NamedTuple):
    """A row that is no record: where it stands, and why."""

    where: str
    reason: str


def record_files(path: Path) -> list[Path]:
    """Return the files that a path stands for.

    Raises:
        ImportRefusedError: it stands for none.
        TrainError: one of them is neither JSON lines nor Parquet.
    """
    data = path / "data"
    files = find_files([data if data.is_dir() else path]).files
    strange = [file for file in files if not any(kind in file.suffixes for kind in _FILE_KINDS)]
    if strange:
        raise TrainError(f"{strange[0]}: records are read from JSON lines and Parquet; pass such a file, or its folder")
    return files


def records_sha256(files: list[Path]) -> str:
    """Return the sha256 over the bytes of files of records, in hex."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def iter_records(files: list[Path]) -> Iterator[ChatRecord | Refusal]:
    """Yield what each row of some files is, in order.

    Raises:
        ImportRefusedError: a file cannot be read on.
    """
    seen: set[str] = set()
    for file in files:
        split = "held_out" if file.name.startswith(HELD_OUT) else TRAIN
        for row in iter_rows(file):
            found = _record(row, f"{file}:{row.line}", split)
            if isinstance(found, ChatRecord):
                if found.record_id in seen:
                    found = Refusal(f"{file}:{row.line}", "an earlier record has its id")
                else:
                    seen.add(found.record_id)
            yield found


def _record(row: RawRow, where: str, split: str) -> ChatRecord | Refusal:
    if row.value is None:
        return Refusal(where, row.problem or "no row")
    problem = _problem(row.value)
    if problem:
        return Refusal(where, problem)
    told = row.value.get("split") or split
    if told != TRAIN and told not in HELD_OUT:
        return Refusal(where, "its split is neither train nor held_out")
    name = row.value.get("id")
    turns = tuple({"role": turn["role"], "content": turn["content"]} for turn in row.value["messages"])
    return ChatRecord(where if name is None else str(name), turns, told != TRAIN)


def _problem(value: Mapping[str, Any]) -> str | None:
    turns = value.get("messages")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return "no list of messages"
    if any(turn.get("role") not in ROLES for turn in turns):
        return "a role that is not system, user or assistant"
    if any(not isinstance(turn.get("content"), str) for turn in turns):
        return "a message without text"
    if len(turns) < 2 or turns[-1]["role"] != "assistant":
        return "no answer of the assistant behind a prompt"
    return None
