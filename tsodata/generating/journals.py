"""Parquet journals: answers of a run that shares no store with others, until an import takes them into one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.engines.protocol import Engine
from tsodata.errors import UsageError
from tsodata.generating.answering import Answered, answered, settings_of
from tsodata.generating.asking import Ask
from tsodata.generating.planning import Plan, Slot
from tsodata.provenance import format_id
from tsodata.records import Response, Settings
from tsodata.runner import Ended, Keep

if TYPE_CHECKING:
    import pyarrow as pa

MERGE_FILES = 50  # files of a run become one, once there are so many
_OWN_COLUMNS = ("cell", "prompt_key", "sample_index", "text", "previous_key", "settings", "failure")


class JournalShelf:
    """Keeps answers in a folder of Parquet files, each batch a whole file, or none.

    `tso-data import journal` takes them; a run goes on from the journals that its folder holds.
    """

    def __init__(self, folder: Path, *, run_key: int) -> None:
        """Make the folder, unless it is there.

        Raises:
            UsageError: it cannot be made.
        """
        self._folder, self._run_key = folder, run_key
        self._n_files = 0
        self._parts: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be made: {error.strerror or error}; pass another --journal") from None

    def beside(self, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:
        """Return the answers of a cell's model, at this revision, in the journals."""
        return journal_answers(self._folder, ask, revision)

    def keep(self, plan: Plan, engine: Engine) -> Keep:
        """Return what writes a batch of a plan."""
        settings = settings_of(plan, engine)

        def keep(batch: Sequence[Ended]) -> None:
            key = settings.settings_key
            found = [answered(plan, engine, ended, settings_key=key, run_key=self._run_key) for ended in batch]
            self._write([_line(plan.ask, settings, one) for one in found])
            for one in found:
                if one.response:
                    plan.kept(one.draw.slot, one.response)
            plan.forget(batch)

        return keep

    def close(self) -> None:
        """Make one file of the files of this run."""
        if len(self._parts) > 1:
            self._merge()

    def _write(self, lines: list[dict[str, Any]]) -> None:
        import pyarrow as pa

        self._parts.append(self._written(pa.Table.from_pylist(lines, schema=journal_schema())))
        if len(self._parts) >= MERGE_FILES:
            self._merge()

    def _merge(self) -> None:
        """Put one file in the place of many; killed in between, it leaves some rows twice, which do no harm."""
        import pyarrow as pa
        from pyarrow import parquet

        merged = self._written(pa.concat_tables([parquet.read_table(path) for path in self._parts]))
        for path in self._parts:
            path.unlink()
        self._parts = [merged]

    def _written(self, table: pa.Table) -> Path:
        from pyarrow import parquet

        self._n_files += 1
        path = self._folder / f"{format_id('run', self._run_key)}-{self._n_files:05d}.parquet"
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            parquet.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(self._folder)
        return path


def journal_answers(folder: Path, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:
    """Return the answers of a cell's model, at this revision, in a folder of journals, if there is one."""
    from pyarrow import parquet

    found: dict[Slot, Response] = {}
    for path in sorted(folder.glob("*.parquet")):
        for row in parquet.read_table(path, columns=list(_OWN_COLUMNS)).to_pylist():
            is_own = row["cell"] == ask.source.label and row["failure"] is None
            if is_own and json.loads(row["settings"])["revision"] == revision:
                slot = Slot(int(row["prompt_key"], 16), row["sample_index"])
                previous = int(row["previous_key"], 16) if row["previous_key"] else None
                found[slot] = Response(
                    slot.prompt_key, ask.source.source_key, row["text"], slot.sample_index, previous_key=previous
                )
    return found


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def journal_schema() -> pa.Schema:
    """Return the columns of a journal: one row per attempt, keys as 16 hex digits."""
    import pyarrow as pa

    whole = {"attempt": pa.int32(), "sample_index": pa.int32(), "seed": pa.int64()}
    counts = {"n_prompt_tokens": pa.int64(), "n_completion_tokens": pa.int64(), "seconds": pa.float64()}
    texts = (
        "call_key", "request_key", "engine", "endpoint", "model", "failure", "detail", "cell", "family", "version",
        "prompt_key", "messages", "text", "settings", "finish_reason", "previous_key", "served_model", "prompt_sha256",
    )  # fmt: skip
    return pa.schema({**dict.fromkeys(texts, pa.string()), "size": pa.float64(), **whole, **counts})


def _line(ask: Ask, settings: Settings, attempt: Answered) -> dict[str, Any]:
    draw, call, response, reply = attempt
    return {
        "call_key": _hex(call.call_key),
        "request_key": _hex(call.request_key),
        "engine": call.engine,
        "endpoint": call.endpoint,
        "model": call.model,
        "attempt": call.attempt,
        "failure": call.failure,
        "detail": call.detail,
        "n_prompt_tokens": call.n_prompt_tokens,
        "n_completion_tokens": call.n_completion_tokens,
        "seconds": call.seconds,
        "cell": ask.source.label,
        "family": ask.source.family,
        "version": ask.source.version,
        "size": ask.source.size_b,
        "prompt_key": _hex(draw.slot.prompt_key),
        "messages": json.dumps(draw.messages, ensure_ascii=False),
        "sample_index": draw.slot.sample_index,
        "seed": draw.seed,
        "settings": settings.body,
        "text": response.text if response else None,
        "finish_reason": response.finish_reason if response else None,
        "previous_key": _hex(draw.previous_key),
        "served_model": reply.served_model if reply else None,
        "prompt_sha256": reply.prompt_sha256 if reply else None,
    }


def _hex(key: int | None) -> str | None:
    return None if key is None else f"{key:016x}"
