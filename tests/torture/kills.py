"""Kills the real commands at random times, and looks at what is left.

    python tests/torture/kills.py --kills 240 [--seed 1] [--folder DIR]

Each phase runs a command as a process of its own and sends SIGKILL at a random moment of its life. After every kill
the store opens, holds every row that the command had reported as stored, and passes every check; an export is whole
or absent. Once a run gets through, its end state is that of an undisturbed run. Prints one line a phase; exit code 1
where anything was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tsodata import queries
from tsodata.acknowledged import mark_path
from tsodata.checks import check_store
from tsodata.errors import StoreMissingError
from tsodata.exporters.manifest import Manifest
from tsodata.provenance import Run
from tsodata.records import Prompt, Response, Source
from tsodata.store import Store

# small batches, so that there are many transactions to hit; everything else is the command as people run it
PROGRAM = "from tsodata.importers import loading; loading.BATCH_ROWS = 200; from tsocli.data import main; main()"
MODELS = "name,family,version,size\ntiny,m,v1,1\nold-7,m,v1,7\nbase-m,m,v2,7\nlarge-13,m,v2,13\n"
CELLS = {"tiny": ("v1", 1.0), "old-7": ("v1", 7.0), "base-m": ("v2", 7.0), "large-13": ("v2", 13.0)}
N_PROMPTS = 700
NOT_CONTENT = {"runs", "run_outcomes", "commits", "commit_tables", "files", "imports", "refusals", "exports"}
SHARES = {"import": 0.35, "build": 0.18, "export": 0.15, "overwrite": 0.15, "migration": 0.12, "creation": 0.05}
_REPORTED = re.compile(r"rows\.jsonl: (\d+) rows")
State = dict[str, tuple[int, int]]


@dataclass
class Tally:
    """What one phase has seen."""

    phase: str
    wanted: int
    kills: int = 0
    completed: int = 0
    acknowledged: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"{self.phase:10} kills {self.kills:4}  completed {self.completed:3}  acknowledged {self.acknowledged:8}  "
            f"lost {self.lost}  problems {len(self.problems)}"
        )


@dataclass
class Place:
    """The folder of a phase, the material to start from, and the draws that decide when to kill."""

    folder: Path
    draw: random.Random
    usual_s: dict[str, float] = field(default_factory=dict)  # how long the command of each phase lives

    @property
    def path(self) -> Path:
        return self.folder / "s.duckdb"

    @property
    def store(self) -> Store:
        return Store.open(self.path, wait_s=20)

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def start_from(self, store: Path) -> None:
        self.clear()
        shutil.copy(store, self.path)
        shutil.copy(mark_path(store), mark_path(self.path))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", PROGRAM, *words, "--store", str(self.path)]

    def kill(self, command: list[str], phase: str) -> tuple[bool, str]:
        """Run a command and kill it at a random moment; return whether it was killed, and what it had said."""
        started = time.monotonic()
        with (self.folder / "said.txt").open("w+") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
            try:
                process.wait(self.draw.uniform(0.25, 1.0) * self.usual_s[phase])
                self.usual_s[phase] = min(self.usual_s[phase], time.monotonic() - started)  # else it outlives no kill
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its children too: the copy before a migration is made by one
                process.wait()
            said.seek(0)
            text = said.read()
        if process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"exit {process.returncode}: {text}")
        return process.returncode != 0, text


def undisturbed(command: list[str]) -> None:
    """Run a command to its end."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")


def rows() -> Iterator[dict[str, object]]:
    """Yield the rows of the import: four answers to every prompt, judged."""
    for i in range(N_PROMPTS):
        for model in CELLS:
            text = f"{model} says {i} " + "and more " * (i % 40)
            yield {
                "prompt": f"q{i}",
                "model": model,
                "response": text,
                "judge": "j",
                "score": len(model) + i % 3,
                "raw": text,
            }


def answer_key(row: dict[str, object]) -> int:
    """Return the key of a row's answer, made here and not by the import."""
    source = Source.model("m", *CELLS[str(row["model"])])
    return Response(Prompt.of_user(str(row["prompt"])).prompt_key, source.source_key, str(row["response"])).response_key


def state(path: Path) -> State:
    """Return the count and the xor of the keys of every table with content."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = {}
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            if table not in NOT_CONTENT | {"schema_files"}:
                key = connection.execute(f"select * from {table} limit 0").description[0][0]
                found[table] = connection.execute(f"select count(*), bit_xor({key}) from {table}").fetchall()[0]
    return found


def look(place: Place, tally: Tally) -> Store:
    """Open the store and run every check on it."""
    store = place.store
    report = check_store(store)
    tally.problems += [
        f"{finding.check.name}: {finding.first_rows}"
        for finding in report.findings
        if finding.check.level == "violation"
    ]
    return store


def must(holds: object, tally: Tally, problem: str) -> None:
    if not holds:
        tally.problems.append(problem)


class Torture:
    """The phases, over one folder of material made by undisturbed runs."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.draw = folder, random.Random(seed)
        self.material = Place(folder / "material", self.draw)
        self.usual_s: dict[str, float] = {}

    def prepare(self) -> None:
        """Run everything once undisturbed, keep the states and how long each takes."""
        self.material.clear()
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
        (self.folder / "models.csv").write_text(MODELS)
        self.keys = [answer_key(row) for row in rows()]
        self._timed("creation", self.material.command("init"))
        self._timed("import", self.material.command(*self.import_words))
        self.imported = self._kept("imported.duckdb")
        self._timed("build", self.material.command(*self.build_words("a")))
        undisturbed(self.material.command(*self.build_words("b")))
        self.built = self._kept("built.duckdb")
        for name in "ab":
            self._timed("export", self.material.command(*self.export_words(name, self.folder / f"whole-{name}")))
        self.old = self._old_store()
        self.usual_s["overwrite"] = self.usual_s["export"]
        self.usual_s["migration"] = self.usual_s["creation"]

    @property
    def import_words(self) -> list[str]:
        folder = self.folder
        return ["import", "records", str(folder / "rows.jsonl"), "--models", str(folder / "models.csv")]

    def build_words(self, name: str) -> list[str]:
        seed = str(ord(name))
        return ["build-pairs", name, "--base", "m/v2/7", "--recipe", "weighted", "--seed", seed, "--allow-short"]

    def export_words(self, name: str, out: Path) -> list[str]:
        return ["export", name, "--to", "trl", "--out", str(out)]

    def _timed(self, phase: str, command: list[str]) -> None:
        started = time.monotonic()
        undisturbed(command)
        self.usual_s[phase] = time.monotonic() - started

    def _kept(self, name: str) -> Path:
        path = self.folder / name
        shutil.copy(self.material.path, path)
        shutil.copy(mark_path(self.material.path), mark_path(path))
        return path

    def _old_store(self) -> Path:
        """Return a store as the first two schema files make it, with answers."""
        root = self.folder / "old"
        (root / "schema").mkdir(parents=True)
        for file in queries.schema_files()[:2]:
            (root / "schema" / file.name).write_text(file.sql)
        store = Store(self.folder / "old.duckdb", 5.0)
        store.migrate(root)
        prompt, source = Prompt.of_user("q"), Source.model("m", "v1", 1.0)
        answers = [Response(prompt.prompt_key, source.source_key, f"{i} " * 500) for i in range(3_000)]
        with store.run(Run("old")) as run, store.transaction(run) as transaction:
            transaction.append({Prompt: [prompt], Source: [source], Response: list(answers)})
        return store.path

    def phase_import(self, place: Place, tally: Tally) -> None:
        """Import into one store, killed and run again until it is done."""
        place.clear()
        while tally.kills < tally.wanted:
            killed, said = place.kill(place.command(*self.import_words), "import")
            tally.kills += killed
            reported = max(map(int, _REPORTED.findall(said)), default=0)
            tally.acknowledged += reported
            if place.path.exists():
                store = look(place, tally)
                stored = set(store.sql("select response_key from responses").to_series().to_list())
                tally.lost += sum(key not in stored for key in self.keys[:reported])
            else:
                tally.lost += reported
            if not killed or tally.kills == tally.wanted:
                undisturbed(place.command(*self.import_words))
                must(state(place.path) == state(self.imported), tally, "the end state differs")
                tally.completed += 1
                place.clear()

    def phase_build(self, place: Place, tally: Tally) -> None:
        """Build pairs: a build is there whole or not at all, and there where it was reported."""
        place.start_from(self.imported)
        while tally.kills < tally.wanted:
            killed, said = place.kill(place.command(*self.build_words("a")), "build")
            tally.kills += killed
            tally.acknowledged += "build a" in said
            n_builds = look(place, tally).sql("select count(*) from builds").item()
            tally.lost += n_builds < ("build a" in said)
            if n_builds:
                for name in "ab":
                    undisturbed(place.command(*self.build_words(name)))
                must(state(place.path) == state(self.built), tally, "the end state differs")
                tally.completed += 1
                place.start_from(self.imported)

    def phase_export(self, place: Place, tally: Tally) -> None:
        """Export to a free place: the directory is there whole or not at all."""
        place.start_from(self.built)
        out = place.folder / "out"
        while tally.kills < tally.wanted:
            killed, said = place.kill(place.command(*self.export_words("a", out)), "export")
            tally.kills += killed
            tally.acknowledged += " written" in said
            look(place, tally)
            tally.lost += " written" in said and not out.exists()
            if out.exists():
                self._whole(out, "a", tally)
                undisturbed(place.command(*self.export_words("a", out)))
                must(not list(place.folder.glob(".out*")), tally, "a leftover lies beside the export")
                tally.completed += 1
                shutil.rmtree(out)

    def phase_overwrite(self, place: Place, tally: Tally) -> None:
        """Export over another export: the old one or the new one is there, whole; only between two renames neither."""
        place.start_from(self.built)
        out = place.folder / "out"
        undisturbed(place.command(*self.export_words("a", out)))
        there, coming = "a", "b"
        while tally.kills < tally.wanted:
            words = [*self.export_words(coming, out), "--overwrite"]
            killed, said = place.kill(place.command(*words), "overwrite")
            tally.kills += killed
            tally.acknowledged += 1
            look(place, tally)
            found = self._which(out if out.exists() else place.folder / ".out.tso-retired")
            tally.lost += found not in ((coming,) if " written" in said else (there, coming))
            if found == coming:
                self._whole(out, coming, tally)
                undisturbed(place.command(*words))
                must(not list(place.folder.glob(".out*")), tally, "a leftover lies beside the export")
                tally.completed += 1
                there, coming = coming, there

    def phase_migration(self, place: Place, tally: Tally) -> None:
        """Bring an old store up to date: its rows stay, and its copy is whole or not there."""
        place.start_from(self.old)
        before = state(self.old)
        copy = place.path.with_name("s.duckdb.before-003")
        while tally.kills < tally.wanted:
            killed, said = place.kill(place.command("init"), "migration")
            tally.kills += killed
            tally.acknowledged += before["responses"][0]
            if copy.exists():
                must(state(copy) == before, tally, "the copy is not whole")
            after = state(place.path)
            tally.lost += before["responses"][0] - after["responses"][0]
            is_new = "build_responses" in after
            must(copy.exists() or not is_new, tally, "migrated without a copy")
            must(is_new or "is ready" not in said, tally, "reported, but not migrated")
            look(place, tally)  # opening it completes what was begun
            must({**state(place.path), **before} == state(place.path), tally, "the end state differs")
            tally.completed += 1
            place.start_from(self.old)

    def phase_creation(self, place: Place, tally: Tally) -> None:
        """Make a store: it is there with its whole schema, or not at all."""
        place.clear()
        while tally.kills < tally.wanted:
            killed, said = place.kill(place.command("init"), "creation")
            tally.kills += killed
            tally.acknowledged += "is ready" in said
            try:
                look(place, tally)
            except StoreMissingError:
                tally.lost += "is ready" in said
            undisturbed(place.command("init"))
            must(not list(place.folder.glob(".s.duckdb*")), tally, "a leftover lies beside the store")
            tally.completed += 1
            place.clear()

    def _which(self, out: Path) -> str | None:
        manifest = Manifest.read(out)
        return manifest.body["build"] if manifest and manifest.is_true_of(out) else None

    def _whole(self, out: Path, name: str, tally: Tally) -> None:
        whole = self.folder / f"whole-{name}"
        for file in (path.relative_to(whole) for path in whole.rglob("*") if path.is_file()):
            must((out / file).is_file() and (out / file).read_bytes() == (whole / file).read_bytes(), tally, f"{file}")

    def run(self, n_kills: int, phases: list[str]) -> list[Tally]:
        """Run the phases, each with its share of the kills."""
        self.prepare()
        tallies = []
        for phase in phases:
            tally = Tally(phase, max(1, round(SHARES[phase] * n_kills)))
            run: Callable[[Place, Tally], None] = getattr(self, f"phase_{phase}")
            started = time.monotonic()
            try:
                run(Place(self.folder / phase, self.draw, self.usual_s), tally)
            finally:  # also where somebody stops it: what was seen until then counts
                print(f"{tally.line()}  {time.monotonic() - started:6.1f} s", flush=True)
            for problem in tally.problems[:5]:
                print(f"    {problem}", flush=True)
            tallies.append(tally)
        return tallies


def main() -> int:
    """Run the torture and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--phases", nargs="+", choices=list(SHARES), default=list(SHARES))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        tallies = Torture(Path(folder), options.seed).run(options.kills, options.phases)
    lost, problems = sum(tally.lost for tally in tallies), sum(len(tally.problems) for tally in tallies)
    print(f"kills {sum(tally.kills for tally in tallies)}, lost {lost}, problems {problems}")
    return int(bool(lost or problems))


if __name__ == "__main__":
    sys.exit(main())
