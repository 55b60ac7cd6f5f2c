"""Journals of judgements: what a run keeps that shares no store with others, until an import takes it into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsodata.journals import Journal, call_columns, call_line, hex_key, iter_accepted
from tsodata.judging.choosing import Given
from tsodata.judging.keeping import Judged, Said
from tsodata.judging.probes import Probe
from tsodata.provenance import canonical_json
from tsodata.records import Preference, Rubric, Score

if TYPE_CHECKING:
    import pyarrow as pa


class JournalShelf:
    """Keeps judgements in a folder of journals. A run goes on from those that its folder holds."""

    def __init__(self, folder: Path, *, run_key: int) -> None:
        """Make the folder, unless it is there.

        Raises:
            UsageError: it cannot be made.
        """
        self._journal = Journal(folder, journal_schema(), run_key=run_key)

    @property
    def run_key(self) -> int:
        """Return the run that keeps it."""
        return self._journal.run_key

    def beside(self, judge: str) -> frozenset[Given]:
        """Return the judgements of a judge in the journals.

        Raises:
            UsageError: a file in the folder is no journal.
        """
        return judgements_in(self._journal.folder, judge)

    def keep(self, batch: Sequence[Judged]) -> None:
        """Write a batch."""
        self._journal.write([_line(judged) for judged in batch])

    def close(self) -> None:
        """Make one file of the files of this run."""
        self._journal.close()


def judgements_in(folder: Path, judge: str) -> frozenset[Given]:
    """Return the judgements of a judge in a folder of journals; none where there is no folder.

    Raises:
        UsageError: a file in the folder is no journal.
    """
    return frozenset(
        Given(_key(said["response_key"]) or 0, _key(said["other_key"]), _key(said["rubric_key"]) or 0, said["sample"])
        for row in iter_accepted(folder, ("judge", "judgements"))
        if row["judge"] == judge
        for said in row["judgements"]
    )


def journal_schema() -> pa.Schema:
    """Return the columns of a journal of judgements: one row per attempt, keys as 16 hex digits.

    `judgements` holds the words, once for each answer or pair that they serve, with what was read in them.
    """
    import pyarrow as pa

    text, double = pa.string(), pa.float64()
    verdict = pa.struct({"dimension": text, "value": double, "is_hard": pa.bool_(), "reason": text, "parser": text})
    probe = pa.struct({"name": text, "text": text, "original_key": text})
    judgement = pa.struct(
        {
            "response_key": text,
            "other_key": text,
            "rubric_key": text,
            "rubric": text,
            "sample": pa.int32(),
            "raw": text,
            "probe": probe,
            "verdicts": pa.list_(verdict),
        }
    )
    own = {"response_key": text, "judge": text, "settings": text, "judgements": pa.list_(judgement)}
    return pa.schema({**call_columns(), **own})


def _line(judged: Judged) -> dict[str, Any]:
    return {
        **call_line(judged.call, judged.reply),
        "response_key": hex_key(judged.call.response_key),
        "judge": judged.said[0].judgement.judge if judged.said else None,
        "settings": judged.settings.body if judged.settings else None,
        "judgements": [_judgement(one) for one in judged.said],
    }


def _judgement(said: Said) -> dict[str, Any]:
    judgement = said.judgement
    return {
        "response_key": hex_key(judgement.response_key),
        "other_key": hex_key(judgement.other_key),
        "rubric_key": hex_key(judgement.rubric_key),
        "rubric": _rubric(said.rubric),
        "sample": judgement.sample_index,
        "raw": judgement.raw,
        "probe": _probe(said.probe) if said.probe else None,
        "verdicts": list(map(_verdict, said.verdicts)),
    }


def _rubric(rubric: Rubric) -> str:
    scale = {"scale_min": rubric.scale_min, "scale_max": rubric.scale_max}
    return canonical_json({"name": rubric.name, "kind": rubric.kind, **scale, "template": rubric.template})


def _probe(probe: Probe) -> dict[str, str | None]:
    return {"name": probe.name, "text": probe.text, "original_key": hex_key(probe.original.response_key)}


def _verdict(verdict: Score | Preference) -> dict[str, Any]:
    if isinstance(verdict, Preference):
        read: dict[str, Any] = {"dimension": None, "value": verdict.preference, "is_hard": verdict.is_hard}
    else:
        read = {"dimension": verdict.dimension, "value": verdict.value, "is_hard": None}
    return {**read, "reason": verdict.reason, "parser": verdict.parser}


def _key(digits: str | None) -> int | None:
    return None if digits is None else int(digits, 16)
