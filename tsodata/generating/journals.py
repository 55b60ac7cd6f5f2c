"""Journals of answers: what a run keeps that shares no store with others, until an import takes it into one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.engines.protocol import Engine
from tsodata.generating.answering import Answered, answered, settings_of
from tsodata.generating.asking import Ask
from tsodata.generating.planning import Plan, Slot
from tsodata.journals import Journal, call_columns, call_line, hex_key, iter_accepted
from tsodata.records import Response, Settings
from tsodata.runner import Ended, Keep

if TYPE_CHECKING:
    import pyarrow as pa

_OWN_COLUMNS = ("cell", "prompt_key", "sample_index", "text", "previous_key", "settings")


class JournalShelf:
    """Keeps answers in a folder of journals. A run goes on from those that its folder holds."""

    def __init__(self, folder: Path, *, run_key: int) -> None:
        """Make the folder, unless it is there.

        Raises:
            UsageError: it cannot be made.
        """
        self._journal = Journal(folder, journal_schema(), run_key=run_key)

    def beside(self, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:
        """Return the answers of a cell's model, at this revision, in the journals.

        Raises:
            UsageError: a file in the folder is no journal.
        """
        return journal_answers(self._journal.folder, ask, revision)

    def keep(self, plan: Plan, engine: Engine) -> Keep:
        """Return what writes a batch of a plan."""
        settings = settings_of(plan, engine)
        run_key = self._journal.run_key

        def keep(batch: Sequence[Ended]) -> None:
            key = settings.settings_key
            found = [answered(plan, engine, ended, settings_key=key, run_key=run_key) for ended in batch]
            self._journal.write([_line(plan.ask, settings, one) for one in found])
            for one in found:
                if one.response:
                    plan.kept(one.draw.slot, one.response)
            plan.forget(batch)

        return keep

    def close(self) -> None:
        """Make one file of the files of this run."""
        self._journal.close()


def journal_answers(folder: Path, ask: Ask, revision: str | None) -> Mapping[Slot, Response]:
    """Return the answers of a cell's model, at this revision, in a folder of journals, if there is one.

    Raises:
        UsageError: a file in the folder is no journal.
    """
    found: dict[Slot, Response] = {}
    for row in iter_accepted(folder, _OWN_COLUMNS):
        if row["cell"] == ask.source.label and json.loads(row["settings"])["revision"] == revision:
            slot = Slot(int(row["prompt_key"], 16), row["sample_index"])
            previous = int(row["previous_key"], 16) if row["previous_key"] else None
            found[slot] = Response(
                slot.prompt_key, ask.source.source_key, row["text"], slot.sample_index, previous_key=previous
            )
    return found


def journal_schema() -> pa.Schema:
    """Return the columns of a journal of answers: one row per attempt, keys as 16 hex digits."""
    import pyarrow as pa

    texts = ("cell", "family", "version", "messages", "text", "settings", "finish_reason", "previous_key")
    numbers = {"size": pa.float64(), "sample_index": pa.int32(), "seed": pa.int64()}
    return pa.schema({**call_columns(), **dict.fromkeys(texts, pa.string()), **numbers})


def _line(ask: Ask, settings: Settings, attempt: Answered) -> dict[str, Any]:
    draw, call, response, reply = attempt
    return {
        **call_line(call, reply),
        "cell": ask.source.label,
        "family": ask.source.family,
        "version": ask.source.version,
        "size": ask.source.size_b,
        "messages": json.dumps(draw.messages, ensure_ascii=False),
        "sample_index": draw.slot.sample_index,
        "seed": draw.seed,
        "settings": settings.body,
        "text": response.text if response else None,
        "finish_reason": response.finish_reason if response else None,
        "previous_key": hex_key(draw.previous_key),
    }
