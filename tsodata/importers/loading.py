"""Runs an importer over files: batches of rows, one short transaction each, and sums that reconcile.

Every row ends as accepted (it added something), present (all of it was there already), skipped or failed, and the four
add up to the rows of the file. Between two transactions the store is free for others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from tsodata import reading
from tsodata.errors import ImportRefusedError, UsageError
from tsodata.importers.context import Answer, Context, Lookup, Refused, Row
from tsodata.importers.corrections import look_up_named, read_id
from tsodata.importers.formats import Format, find_format
from tsodata.naming import Cell, ModelsTable, Naming
from tsodata.provenance import Run, content_key
from tsodata.records import Record, Response, Source, VersionOrder

if TYPE_CHECKING:
    from pathlib import Path

    from tsodata.store import Store, Transaction

BATCH_ROWS = 16_000  # a transaction of about half a second
BATCH_CHARS = 8_000_000
PAUSE_S = 0.05  # left to other processes between two transactions
DETAIL_CHARS = 500
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an import is to be read: cells from a table or flags, the data set's name, field names, people's name."""

    models: Path | None = None
    family: str | None = None
    version: str | None = None
    size: float | None = None
    dataset: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    human: str | None = None
    judge: str | None = None
    by: str | None = None


@dataclass(slots=True)
class FileReport:
    """The sums of one file. `accepted + present + skipped + failed` are its rows."""

    path: Path
    accepted: int = 0
    present: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    first_refusals: list[str] = field(default_factory=list)
    unplaced: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Return how many rows the file has."""
        return self.accepted + self.present + self.skipped.total() + self.failed.total()


@dataclass(frozen=True, slots=True)
class File(Record):
    """A file that was read."""

    table: ClassVar[str] = "files"
    file_key: int
    path: str
    file_sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Refusal(Record):
    """A row that added nothing, and why."""

    table: ClassVar[str] = "refusals"
    refusal_key: int
    run_key: int
    file_key: int
    line: int
    status: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImportTally(Record):
    """The sums of one file in one run."""

    table: ClassVar[str] = "imports"
    import_key: int
    run_key: int
    file_key: int
    format: str
    n_accepted: int
    n_present: int
    n_skipped: int
    n_failed: int


def import_files(
    store: Store,
    format_name: str,
    paths: Sequence[Path],
    *,
    run: Run,
    options: ImportOptions | None = None,
    progress: Progress = lambda _: None,
    limits: reading.Limits | None = None,
) -> list[FileReport]:
    """Import files of one format, and return the sums of each; a path may name a folder or a pattern (`find_files`).

    What has been reported for a batch is committed; an import that was stopped is finished by running it again.

    Raises:
        UsageError: the format or a model name cannot be meant.
        ImportRefusedError: a file is missing, broken as a whole or beyond the limits; it says what was stored before.
    """
    options = options or ImportOptions()
    form = find_format(format_name)
    found = reading.find_files(paths)
    for reason, names in found.passed_over_by_reason().items():
        progress(f"passed over, {reason}: {_printable(', '.join(names))}")
    naming = _naming(store, options)
    dataset = options.dataset or form.dataset
    lookup = _stored_lookup(store, dataset) if form.refers else Lookup()
    reports: list[FileReport] = []
    for position, path in enumerate(found.files):
        if position:
            time.sleep(PAUSE_S)
        context = Context(
            path=path,
            stem=reading.bare_stem(path),
            naming=naming,
            lookup=lookup,
            dataset=dataset,
            mapping=options.mapping,
            human=options.human,
            judge=options.judge,
            by=options.by,
            sources=list(naming.table.orders),
        )
        report = FileReport(path)
        loader = _Loader(store=store, run=run, context=context, form=form, report=report, progress=progress)
        try:
            loader.load(format_name, limits)
        except (ImportRefusedError, UsageError) as error:
            raise type(error)(f"{error}{_stored_before(reports, report)}") from error
        reports.append(report)
    for report in reports:
        report.unplaced = naming.unplaced
    return reports


def _stored_before(whole: list[FileReport], cut: FileReport) -> str:
    """Return what an import that stops has stored, or nothing where that is nothing."""
    parts = [f"{cut.rows} rows of this file"] if cut.rows else []
    parts += [f"{len(whole)} {'file' if len(whole) == 1 else 'files'} before it"] if whole else []
    return f" (stored already: {', '.join(parts)})" if parts else ""


@dataclass(slots=True)
class _Parsed:
    """One row on its way in."""

    line: int
    records: list[Record]
    refusal: Refused | None = None


class _Batch(NamedTuple):
    """Rows of one transaction."""

    rows: list[_Parsed]
    is_last: bool


@dataclass(slots=True, kw_only=True)
class _Loader:
    """Loads one file."""

    store: Store
    run: Run
    context: Context
    form: Format
    report: FileReport
    progress: Progress

    def load(self, format_name: str, limits: reading.Limits | None) -> None:
        path = self.context.path
        if self.form.names:
            look_up_named(self.store, self.context.lookup, _named_keys(path, self.form.names, limits))
        rows = reading.iter_rows(path, limits)
        first = next(rows, None)  # a file that cannot be read is refused before anything is stored
        file = _file(path)
        for position, batch in enumerate(_batches(self._parsed(first, rows))):
            if position:
                time.sleep(PAUSE_S)
            with self.store.transaction(self.run, file_key=file.file_key) as transaction:
                self._flush(transaction, file, batch.rows)
                if batch.is_last:
                    transaction.append({ImportTally: [self._tally(file, format_name)]})
            self.progress(f"{_printable(path.name)}: {self.report.rows} rows")

    def _tally(self, file: File, format_name: str) -> ImportTally:
        return ImportTally(
            import_key=content_key("import", self.run.key, file.file_key, format_name),
            run_key=self.run.key,
            file_key=file.file_key,
            format=format_name,
            n_accepted=self.report.accepted,
            n_present=self.report.present,
            n_skipped=self.report.skipped.total(),
            n_failed=self.report.failed.total(),
        )

    def _parsed(self, first: reading.RawRow | None, rows: Iterator[reading.RawRow]) -> Iterator[_Parsed]:
        if first is not None:
            yield self._parse(first)
        for row in rows:
            yield self._parse(row)

    def _parse(self, row: reading.RawRow) -> _Parsed:
        if row.value is None:
            return _Parsed(row.line, [], Refused("failed", "unreadable", row.problem or "no row"))
        try:
            records = list(self.form.parse(row.value, self.context))
        except Refused as refusal:
            return _Parsed(row.line, [], refusal)
        except (ValueError, RecursionError) as error:
            return _Parsed(row.line, [], Refused("failed", "bad_content", str(error)))
        if self.form.refers:
            self.context.lookup.note(records)
        return _Parsed(row.line, records)

    def _flush(self, transaction: Transaction, file: File, batch: list[_Parsed]) -> None:
        records: dict[type[Record], list[Record]] = {File: [file]}
        owners: dict[str, list[int | None]] = {}  # per table, which row of the batch each record is of
        mentioned = [(None, record) for record in self.context.sources]
        stated = [(position, record) for position, row in enumerate(batch) for record in row.records]
        stated_before: set[int] = set()  # rows share the record of what they have in common, such as the prompt
        for owner, record in (*mentioned, *stated):
            if id(record) in stated_before:
                continue
            stated_before.add(id(record))
            records.setdefault(type(record), []).append(record)
            owners.setdefault(record.table, []).append(owner)
        refusals: list[Record] = [self._refusal(file, row.line, row.refusal) for row in batch if row.refusal]
        if refusals:
            records[Refusal] = refusals
        added = transaction.append(records)
        self.context.sources.clear()
        accepted = {owners[table][position] for table in owners for position in added[table]}
        for position, row in enumerate(batch):
            self._count(row, accepted=position in accepted)
        for table in {record.table for _, record in stated}:
            self.report.added[table] += sum(owners[table][position] is not None for position in added[table])

    def _count(self, row: _Parsed, *, accepted: bool) -> None:
        if row.refusal is None:
            self.report.accepted += accepted
            self.report.present += not accepted
            return
        counts = self.report.skipped if row.refusal.status == "skipped" else self.report.failed
        counts[row.refusal.reason] += 1
        if row.refusal.status == "failed" and len(self.report.first_refusals) < 3:
            where = f"{_printable(str(self.context.path))}:{row.line}"
            self.report.first_refusals.append(f"{where}: {_printable(row.refusal.detail)}")

    def _refusal(self, file: File, line: int, refusal: Refused) -> Refusal:
        return Refusal(
            refusal_key=content_key("refusal", self.run.key, file.file_key, line, refusal.reason),
            run_key=self.run.key,
            file_key=file.file_key,
            line=line,
            status=refusal.status,
            reason=refusal.reason,
            detail=_printable(refusal.detail),
        )


def _named_keys(path: Path, names: Callable[[Row], Iterable[object]], limits: reading.Limits | None) -> list[int]:
    """Return the keys of the stored answers that a file names; it is read once more for them."""
    keys = {
        read_id("response", name)
        for row in reading.iter_rows(path, limits)
        if row.value is not None
        for name in names(row.value)
    }
    return sorted(key for key in keys if key is not None)


def _file(path: Path) -> File:
    sha256, name = reading.file_sha256(path), _printable(str(path))
    return File(content_key("file", name, sha256), name, sha256, path.stat().st_size)


def _printable(text: str) -> str:
    """Return one line of bounded length without lone surrogates, which neither terminals nor the store take."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return line if len(line) <= DETAIL_CHARS else f"{line[:DETAIL_CHARS]}…"


def _batches(rows: Iterator[_Parsed]) -> Iterator[_Batch]:
    """Yield all rows in batches; a file without rows gives one empty batch."""
    batch: list[_Parsed] = []
    n_chars = 0
    for row in rows:
        if len(batch) >= BATCH_ROWS or n_chars >= BATCH_CHARS:
            yield _Batch(batch, is_last=False)
            batch, n_chars = [], 0
        batch.append(row)
        n_chars += sum(record.n_chars for record in row.records if isinstance(record, Response))
    yield _Batch(batch, is_last=True)


def _naming(store: Store, options: ImportOptions) -> Naming:
    table = ModelsTable.read(options.models) if options.models else ModelsTable()
    flags = Cell(options.family, options.version, options.size)
    return Naming(table, flags, _stored_names(store))


def _stored_names(store: Store) -> dict[str, frozenset[Source]]:
    names: dict[str, set[Source]] = {}
    with store.reader() as reader:
        rows = cast("list[tuple[str, str, str | None, float | None]]", reader.rows("store/source_names"))
    for name, family, version, size_b in rows:
        names.setdefault(name, set()).add(Source.model(family, version, size_b))
    return {name: frozenset(sources) for name, sources in names.items()}


def _stored_lookup(store: Store, dataset: str) -> Lookup:
    lookup = Lookup()
    with store.reader() as reader:
        prompts = cast("list[tuple[int, str]]", reader.rows("store/prompt_ids", dataset=dataset))
        answers = cast("list[tuple[int, int, int, str | None]]", reader.rows("store/answer_ids", dataset=dataset))
    for prompt_key, external_id in prompts:
        lookup.prompts[dataset, external_id] = prompt_key
    for response_key, prompt_key, source_key, answer_id in answers:
        lookup.add_answer(Answer(response_key, prompt_key, source_key), answer_id)
    return lookup


def state_version_order(store: Store, order: VersionOrder, *, run: Run) -> None:
    """Store the order of a family's versions as somebody states it; the latest statement counts."""
    with store.transaction(run) as transaction:
        transaction.append({VersionOrder: [order]})
