"""Throws at least a million inputs at the row parsers and the readers of bytes; stops at the first that breaks one.

python tests/fuzz/fuzz.py [--inputs 1000000] [--seconds S] [--seed 43] [--start N]

Input number N depends on the seed and N alone: `--start N --inputs 1` repeats one, and a run that was stopped goes on
from the number that it printed. There is no store behind it. What may come out: records that the store takes, rows, a
refusal with its reason; anything else is a fault.
"""

import argparse
import gzip
import io
import json
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from pathlib import Path
from random import Random

import pyarrow as pa
from mutating import any_row, changed_bytes, changed_row
from pyarrow import parquet

sys.path.insert(0, str(Path(__file__).parents[1] / "importers"))
from test_any_row import ROWS, context_of, fits_its_columns

from tsodata.errors import ImportRefusedError
from tsodata.importers import FORMATS
from tsodata.importers.context import Refused
from tsodata.reading import Limits, iter_rows
from tsodata.reading.csv_rows import iter_csv
from tsodata.reading.json_rows import iter_json
from tsodata.reading.kinds import DELIMITERS

LIMITS = Limits(row_bytes=4_000, string_chars=3_000, depth=20, columns=60, file_rows=50, held_bytes=1 << 20)
PLAIN_ROWS = [
    {"prompt": "q\n\u2028é", "response": "a", "n": 12, "score": 0.5, "note": None},
    {"prompt": "r", "response": "", "n": -1, "score": 1e9, "note": "x"},
]
NESTED_ROWS = [{**row, "m": [{"role": "user", "content": "q"}], "t": ["a", None]} for row in PLAIN_ROWS]
SUFFIXES = (
    *(".jsonl", ".json", ".csv", ".tsv") * 8,
    *(".jsonl.gz", ".csv.zst", ".parquet", ".arrow") * 2,
    ".parquet.gz",
    ".xlsx",
)
PACK = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def sound_files():
    """Return the bytes of a sound file under every suffix, to be changed."""
    lines = "".join(json.dumps(row) + "\n" for row in NESTED_ROWS).encode()
    table = pa.Table.from_pylist(NESTED_ROWS)
    columnar, stream = io.BytesIO(), io.BytesIO()
    parquet.write_table(table, columnar)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    head = ",".join(PLAIN_ROWS[0])
    rows = "".join(",".join(f'"{value}"' for value in row.values()) + "\n" for row in PLAIN_ROWS)
    comma = f"{head}\n{rows}".encode()
    return {
        ".jsonl": lines,
        ".json": json.dumps(NESTED_ROWS).encode(),
        ".csv": comma,
        ".tsv": comma.replace(b",", b"\t"),
        ".jsonl.gz": PACK[".gz"](lines),
        ".csv.zst": PACK[".zst"](comma),
        ".parquet": columnar.getvalue(),
        ".parquet.gz": PACK[".gz"](columnar.getvalue()),
        ".arrow": stream.getvalue(),
        ".xlsx": sound_sheet(),
    }


def sound_sheet():
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["prompt", "n", "on", "sum"])
    book.active.append(["q", 12.0, None, "=1+1"])
    packed, plain = io.BytesIO(), io.BytesIO()
    book.save(packed)
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(plain, "w") as target:  # not packed: changes reach the XML
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return plain.getvalue()


def parsed(random):
    """Parse one row, and return what came of it."""
    name, base = random.choice(ROWS)
    row = any_row(random) if random.random() < 0.15 else changed_row(random, base)
    context = context_of(None)
    try:
        records = list(FORMATS[name].parse(row, context))
    except Refused as refusal:
        outcome = f"row {refusal.status}: {refusal.reason}"
        records = []
    except ValueError:
        outcome, records = "row failed: bad_content", []
    else:
        outcome = "row accepted"
    if not all(map(fits_its_columns, (*records, *context.sources))):
        raise AssertionError(f"{name}: a record that no store takes, from {row!r}")
    return outcome


def read(random, files, folder):
    """Read changed bytes, and return what came of them."""
    suffix = random.choice(SUFFIXES)
    plain = suffix.removesuffix(".gz").removesuffix(".zst")
    if plain != suffix and random.random() < 0.5:  # else no change gets past the check of the packed bytes
        data = PACK[suffix[len(plain) :]](changed_bytes(random, files[plain]))
    else:
        data = changed_bytes(random, files[suffix])
    if suffix.endswith(".xlsx"):
        data = with_true_sums(data)
    try:
        rows = opened(suffix, data, folder)
    except ImportRefusedError as error:
        if "\n" in str(error):
            raise AssertionError(f"{suffix}: a refusal of several lines, {error}") from error
        return f"file refused: {suffix}"
    if not all((row.value is None) == (row.problem is not None) for row in rows):
        raise AssertionError(f"{suffix}: a row that is neither value nor problem")
    if suffix == ".jsonl":
        check_lines(data, rows)
    return f"file read: {suffix}"


def opened(suffix, data, folder):
    """Return the rows of bytes: text without a file, which is faster, the rest from a file as users have it."""
    path = folder / f"a{suffix}"
    file = io.BufferedReader(io.BytesIO(data))
    try:
        if suffix in (".jsonl", ".json"):
            return list(iter_json(path, file, LIMITS))
        if suffix in DELIMITERS:
            return list(iter_csv(path, file, DELIMITERS[suffix], limits=LIMITS))
    except UnicodeDecodeError as error:  # iter_rows says so of the file
        raise ImportRefusedError(str(path)) from error
    path.write_bytes(data)
    return list(iter_rows(path, LIMITS))


def check_lines(data, rows):
    """Hold each row of JSON lines against what Python's own parser says of its line."""
    if data.lstrip().startswith(b"["):
        return
    lines = dict(enumerate(data.split(b"\n"), 1))
    for row in rows:
        expected = plainly_read(lines[row.line])
        if row.value is not None and repr(expected) != repr(row.value):  # by repr: NaN is not equal to itself
            raise AssertionError(f"line {row.line} was read as {row.value!r}")
        if row.value is None and isinstance(expected, dict) and fits(lines[row.line]):
            raise AssertionError(f"line {row.line} was refused: {row.problem}")


def plainly_read(line):
    """Return what a line holds, or None where it is no JSON or has a key twice."""
    try:
        return json.loads(line.decode(), object_pairs_hook=without_twins)
    except (ValueError, RecursionError):
        return None


def without_twins(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"twins among {pairs}")
    return dict(pairs)


def fits(line):
    """Return whether a line is surely within the limits."""
    n_marks = max(line.count(mark) for mark in (b"[", b"{", b","))
    return len(line) < LIMITS.string_chars and n_marks < LIMITS.depth


def with_true_sums(data):
    """Return a changed archive with the checksums of its changed members, so that the XML's reader sees them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = bytearray(data)
            for member in archive.infolist():
                start = member.header_offset + 30 + len(member.filename.encode())
                content = data[start : start + member.file_size]
                sum_ = zipfile.crc32(content).to_bytes(4, "little")
                for at in (member.header_offset + 14, data.rfind(member.CRC.to_bytes(4, "little"))):
                    found[at : at + 4] = sum_
            return bytes(found)
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, UnicodeError, EOFError):
        return data


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="inputs to try")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=43)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    return parser.parse_args()


def main():
    asked = arguments()
    files, outcomes = sound_files(), Counter()
    began = told = time.monotonic()
    number = asked.start
    with tempfile.TemporaryDirectory() as folder:
        while number < asked.start + asked.inputs and time.monotonic() - began < asked.seconds:
            random = Random(asked.seed << 40 | number)
            try:
                outcomes[parsed(random) if random.random() < 0.7 else read(random, files, Path(folder))] += 1
            except Exception:
                traceback.print_exc()
                sys.exit(f"input {number} broke it; again: --seed {asked.seed} --start {number} --inputs 1")
            number += 1
            if time.monotonic() - told > 20:
                told = time.monotonic()
                print(
                    f"{number - asked.start} inputs; to go on from here: --start {number}", file=sys.stderr, flush=True
                )
    elapsed_s = time.monotonic() - began
    done = number - asked.start
    cpu_s, rate = time.process_time(), done / max(elapsed_s, 1e-9)
    print(f"{done} inputs in {elapsed_s:.0f} s ({cpu_s:.0f} s of CPU), {rate:.0f} a second; none broke anything")
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:>9}  {outcome}")


if __name__ == "__main__":
    main()
