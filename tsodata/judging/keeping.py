"""Attempts of a judge as rows, and the store as the place that keeps them.

A judgement, what was read in it, and the call that brought it are kept together: words that were paid for are never
without a score or the reason why not, and no score is without its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tsodata.calls import Call, Reply
from tsodata.judging.choosing import Given
from tsodata.judging.probes import Probe
from tsodata.provenance import Run
from tsodata.records import Judgement, Preference, Record, Rubric, Score, Settings
from tsodata.store import Store

TASK = "judge"


class Said(NamedTuple):
    """A judge's words by one rubric on one answer or pair, and what was read in them."""

    rubric: Rubric
    judgement: Judgement
    verdicts: tuple[Score | Preference, ...]
    probe: Probe | None = None


class Judged(NamedTuple):
    """An attempt that ended, as rows. The same words may serve several answers; a failure has none."""

    call: Call
    reply: Reply | None = None
    settings: Settings | None = None
    said: tuple[Said, ...] = ()

    def records(self) -> Iterator[Record]:
        """Yield the rows."""
        if self.settings:
            yield self.settings
        for one in self.said:
            if one.probe:
                yield from one.probe.records()
            yield from (one.rubric, one.judgement, *one.verdicts)
        yield self.call
        if self.reply:
            yield self.reply


class Shelf(Protocol):
    """Where a run keeps what ended."""

    @property
    def run_key(self) -> int:
        """Return the run that keeps it."""
        ...

    def beside(self, judge: str) -> frozenset[Given]:
        """Return the judgements of a judge that are kept here and not in the store."""
        ...

    def keep(self, batch: Sequence[Judged]) -> None:
        """Keep a batch, whole or not at all."""
        ...

    def close(self) -> None:
        """Leave it as others want to find it."""
        ...


@dataclass(frozen=True, slots=True)
class StoreShelf:
    """Keeps judgements in the store: each batch with its calls in one transaction."""

    store: Store
    run: Run

    @property
    def run_key(self) -> int:
        """Return the run that keeps it."""
        return self.run.key

    def beside(self, judge: str) -> frozenset[Given]:  # noqa: ARG002  there is nothing beside
        """Return nothing: all there is, is in the store."""
        return frozenset()

    def keep(self, batch: Sequence[Judged]) -> None:
        """Commit a batch."""
        records: dict[type[Record], list[Record]] = {}
        for judged in batch:
            for record in judged.records():
                records.setdefault(type(record), []).append(record)
        with self.store.transaction(self.run) as transaction:
            transaction.append(records)

    def close(self) -> None:
        """Leave the store as it is."""
