"""The training records of a judge from beginning to end: which, the place, the writing, the manifest.

A folder with data/train.jsonl, data/held_out.jsonl and manifest.json is there whole or not at all. `tso-train judge`
reads it; of the messages only the assistant's words are trained on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tsodata.correcting.choosing import JudgeChoice, choose_judge
from tsodata.correcting.judge_sft import Lesson, find_items, iter_records, sift
from tsodata.errors import DataError, ExportRefusedError, UnknownNameError, UsageError
from tsodata.exporters.files import ExportedFile, open_synced
from tsodata.placing import placed_whole, remove_leftover
from tsodata.provenance import format_id, package_versions
from tsodata.reading import file_sha256
from tsodata.store import Reader, Store

MANIFEST_NAME = "manifest.json"
SPLITS = ("train", "held_out")
_KIND = "tso judge sft 1"


@dataclass(frozen=True, slots=True)
class LessonReport:
    """What was written: records by split, by who gave the evidence, and the corrected answers refused, by reason."""

    directory: Path
    judge: str
    rubric: str
    n_items: int
    rows: dict[str, int]
    evidence_by: dict[str, int]
    refused: dict[str, int]
    already_there: bool


def export_judge_sft(store: Store, lesson: Lesson, *, out: Path) -> LessonReport:
    """Write the training records of a judge, whole or not at all; the same store and lesson give the same bytes.

    Every corrected answer of the rubric becomes a record or is refused: n_items = rows + refused.

    Raises:
        UnknownNameError, UsageError: it is not clear which judge by which rubric is to learn.
        DataError: nobody has corrected an answer of that rubric.
        ExportRefusedError: `out` is taken, the disk refuses, or no training record can be made.
    """
    if not 0 <= lesson.held_out < 1:
        raise UsageError(f"--held-out {lesson.held_out:g}: a share from 0 to below 1")
    target = out.resolve()
    with store.reader() as reader:
        chosen = choose_judge(reader, lesson.judge, lesson.rubric_name)
        head = _head(reader, lesson, chosen)
        manifest = _there(target, head)
        if manifest:
            return _report(out, manifest, already_there=True)
        made = _make(reader, lesson, chosen)
    return _report(out, _write(made, head=head, target=target), already_there=False)


class _Made(NamedTuple):
    """All corrected answers, the records made of them, and the others by reason."""

    n_items: int
    records: list[dict[str, Any]]
    refused: Counter[str]


def _head(reader: Reader, lesson: Lesson, chosen: JudgeChoice) -> dict[str, Any]:
    """Return what the records depend on."""
    return {
        "kind": _KIND,
        **chosen._asdict(),
        "asked_by": lesson.rubric.name if lesson.rubric else None,
        "dimensions": list(lesson.dimensions),
        "held_out": lesson.held_out,
        "held_out_cells": list(lesson.held_out_cells),
        "per_bin": lesson.per_bin,
        "agree_within": lesson.agree_within,
        "seed": lesson.seed,
        "snapshot_id": format_id("snapshot", reader.snapshot().key),
    }


def _there(target: Path, head: dict[str, Any]) -> dict[str, Any] | None:
    """Return the manifest of the same records where they are there and unchanged."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    try:
        manifest: dict[str, Any] = json.loads((target / MANIFEST_NAME).read_bytes())
        is_same = all(manifest.get(name) == value for name, value in head.items())
        if is_same and all(file_sha256(target / file["path"]) == file["sha256"] for file in manifest["files"]):
            return manifest
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # something else stands there
    raise ExportRefusedError(f"{target} is there and holds something else; pass another --out")


def _make(reader: Reader, lesson: Lesson, chosen: JudgeChoice) -> _Made:
    for cell in lesson.held_out_cells:
        if not reader.rows("exports/source_names", source=cell):
            raise UnknownNameError(f"no source {cell!r}; tso-data query source-coverage lists those there")
    items = find_items(reader, lesson, chosen)
    if not items:
        raise DataError(
            f"nobody has corrected an answer by rubric {chosen.rubric!r}; see tso-data export-corrections, or let a "
            "stronger judge stand in: tso-data correct --by JUDGE"
        )
    refused: Counter[str] = Counter()
    kept = sift(items, lesson, refused)
    records = list(iter_records(reader, kept, lesson, refused))
    if not any(record["split"] == "train" for record in records):
        why = ", ".join(f"{reason} {n}" for reason, n in sorted(refused.items())) or "all are held out"
        raise ExportRefusedError(f"of {len(items)} corrected answers none can be trained on ({why})")
    return _Made(len(items), records, refused)


def _write(made: _Made, *, head: dict[str, Any], target: Path) -> dict[str, Any]:
    try:
        remove_leftover(target)
        with placed_whole(target, replacing=False) as folder:
            files = [_write_split(folder, split, _of_split(made.records, split)) for split in SPLITS]
            manifest = {**head, **_counts(made), "files": [asdict(file) for file in files if file]}
            manifest["versions"] = {"tso": package_versions()["tso"]}
            with open_synced(folder / MANIFEST_NAME) as file:
                file.write((json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise ExportRefusedError(f"{target}: not written ({reason}); make room, or pass another --out") from error
    return manifest


def _of_split(records: Iterable[dict[str, Any]], split: str) -> Iterator[dict[str, Any]]:
    return (record for record in records if record["split"] == split)


def _write_split(folder: Path, split: str, records: Iterator[dict[str, Any]]) -> ExportedFile | None:
    lines = [json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records]
    if not lines:
        return None  # a split without records is no split
    path = f"data/{split}.jsonl"
    with open_synced(folder / path) as file:
        file.writelines(line.encode() for line in lines)
    return ExportedFile.of(folder, path, rows=len(lines))


def _counts(made: _Made) -> dict[str, Any]:
    records = made.records
    return {
        "n_items": made.n_items,
        "rows": {split: sum(1 for _ in _of_split(records, split)) for split in SPLITS},
        "scores": dict(sorted(Counter(str(record["score"]) for record in _of_split(records, "train")).items())),
        "evidence_by": dict(sorted(Counter(record["evidence_by"] for record in records).items())),
        "refused": dict(sorted(made.refused.items())),
    }


def _report(out: Path, manifest: dict[str, Any], *, already_there: bool) -> LessonReport:
    told = {name: manifest[name] for name in ("judge", "rubric", "n_items", "rows", "evidence_by", "refused")}
    return LessonReport(directory=out, already_there=already_there, **told)
