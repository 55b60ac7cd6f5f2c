"""The data card, README.md: a head for Hugging Face, then what people want to know before they train on a data set.

JSON carries no types: a column that begins with nulls is taken for a column of nulls, and the first score in it then
fails, so beside JSON lines the head states the types. Parquet needs no such help. The head names no files: where it
does, `datasets` 5.2 forgets their times and serves an older export of the same directory name from its cache. The
licence is left open: it follows from the models and data sets that gave the texts, which the store does not know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from tsodata.exporters.builds import BuildToExport
    from tsodata.exporters.formats import Format
    from tsodata.exporters.sums import Sums
    from tsodata.exporters.template import TemplateGate

CARD_NAME = "README.md"
_USAGE = """\
`datasets.load_dataset("PATH OF THIS FOLDER")` reads it.
"""
_LICENCE = """\
## Licence

Not stated by the store: it follows from the models and data sets that the texts come from. Set `license` above before
you share this."""
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def card_bytes(build: BuildToExport, to: Format, *, sums: Sums, gate: TemplateGate | None) -> bytes:
    """Return the card of an export; its head is YAML, written as JSON."""
    parts = [
        f"---\n{json.dumps(_head(build, to, sums), indent=2, ensure_ascii=False)}\n---",
        f"# {_plain(build.name)}",
        _origin(build, to),
        "## Use\n\n" + (to.usage or _USAGE).rstrip(),
        "## Counts\n\n" + "\n".join(_counts(build, sums)),
        *(_gate_lines(gate, sums) if gate else ()),
        "## Sources\n\n" + "\n".join(_sources(sums)),
        "## Recipe\n\n" + _indented(json.dumps(build.recipe, indent=2, ensure_ascii=False)),
        _LICENCE,
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _head(build: BuildToExport, to: Format, sums: Sums) -> dict[str, object]:
    splits = [{"name": split, "num_examples": n_rows} for split, n_rows in sums.rows.items() if n_rows]
    features = {"features": [_feature(field) for field in to.schema()]} if to.is_json else {}
    return {
        "pretty_name": build.name,
        "license": "unknown",
        "task_categories": ["text-generation"],
        "tags": ["tso", *to.tags],
        "size_categories": [next((words for bound, words in _SIZES if sums.rows.total() < bound), "n>10M")],
        "dataset_info": {**features, "splits": splits},
    }


def _feature(field: pa.Field) -> dict[str, object]:
    return {"name": field.name, **_feature_type(field.type)}


def _feature_type(kind: pa.DataType) -> dict[str, object]:
    import pyarrow as pa

    if pa.types.is_list(kind):
        inner = kind.value_type
        if pa.types.is_struct(inner):
            return {"list": [_feature(field) for field in inner.fields]}
        return {"list": _feature_type(inner)["dtype"]}
    if pa.types.is_struct(kind):
        return {"struct": [_feature(field) for field in kind.fields]}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}


def _origin(build: BuildToExport, to: Format) -> str:
    part = f"Minibatch {build.minibatch} of build" if build.minibatch is not None else "Build"
    around = f" around the base model `{_plain(build.base)}`" if build.base else ""
    return (
        f"{part} `{build.build_id}`, drawn from snapshot `{build.snapshot_id}` with seed {build.seed}{around}, and "
        f"written in the format `{to.name}` ({to.says}). The "
        "hash of every file is in `manifest.json`; `croissant.json` describes the columns to machines."
    )


def _counts(build: BuildToExport, sums: Sums) -> Iterator[str]:
    holds = build.material.holds
    yield from _table((holds, "number"), _count_rows(sums))
    yield ""
    total = sums.written.total() + sums.refused.total()
    yield f"Together {total} {holds}; none is left out of this table."
    if sums.rows != sums.written:
        rows = ", ".join(f"{split} {n}" for split, n in sums.rows.items() if n)
        yield f"They are written as rows: {rows}."


def _count_rows(sums: Sums) -> Iterator[tuple[str, int]]:
    yield from ((f"written, {split}", n) for split, n in sums.written.items() if n)
    yield from ((f"refused: {reason}", n) for reason, n in sorted(sums.refused.items()))


def _gate_lines(gate: TemplateGate, sums: Sums) -> Iterator[str]:
    limit = "no length limit" if gate.max_length is None else f"a limit of {gate.max_length} tokens"
    done = "refused; the counts are above" if gate.refuses else "counted, and written all the same"
    hashes = f"the tokenizer `{gate.tokenizer_sha256[:16]}` and its chat template `{gate.template_sha256[:16]}`"
    yield f"## Template gate\n\nLooked at with {limit}, {hashes} (sha256). What it found was {done}."
    if not gate.refuses:
        yield "\n".join(_table(("found", "number"), sorted(sums.marked.items())))


def _sources(sums: Sums) -> Iterator[str]:
    rows = [
        (side.removesuffix("_source").removesuffix("s"), label, n)
        for side, counts in sums.sources_as_json().items()
        for label, n in counts.items()
    ]
    return _table(("side", "source", "answers"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    for cells in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(value: object) -> str:
    """Return a name as one line that ends no cell of a table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
