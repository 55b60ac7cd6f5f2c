"""Many processes on one store at once: each works, or says who holds the store; nothing is damaged, sums add up."""

import json
import re

from tsodata.builds import find_build
from tsodata.store import Store

BUILD = ("--base", "m/v2/7", "--recipe", "weighted", "--allow-short", "--dataset", "first")


def test_eight_processes_on_one_store_do_no_damage(command, write_rows, tmp_path, violations):
    store = ("--store", str(tmp_path / "s.duckdb"))
    first = write_rows(200, name="first.jsonl")
    command.run("import", "records", first, "--models", "models.csv", "--dataset", "first", *store)
    command.run("build-pairs", "there", *BUILD, *store)
    files = [write_rows(400, name=f"{n}.jsonl", first=1_000 * n) for n in (1, 2)]
    files.append(write_rows(400, name="again.jsonl", first=1_000))  # the same rows as the first file, at once
    several = [
        *(("import", "records", name, "--models", "models.csv", "--json") for name in files),
        ("build-pairs", "made", *BUILD),
        ("export", "there", "--to", "trl", "--out", "out"),
        ("export", "there", "--to", "jsonl", "--out", "out-2"),
        ("sql", "select count(*) as n from v_responses", "--json"),
        ("check",),
    ]

    started = [command.start(*words, *store, TSO_WAIT_S="120") for words in several]
    ended = [(process, *process.communicate()) for process in started]

    for process, out, said in ended:
        if process.returncode == 3:
            assert re.search(r"held by process \d+", said), said
        assert process.returncode in (0, 3), (process.args, out, said)
    imports = [json.loads(out)[0] for process, out, _ in ended[:3] if process.returncode == 0]
    assert all(sums["accepted"] + sums["present"] == sums["rows"] == 1_600 for sums in imports)
    opened = Store.open(tmp_path / "s.duckdb")
    n_responses = opened.sql("select count(*) from responses").item()
    assert n_responses == 800 + sum(sums["accepted"] for sums in imports)
    for words, (process, *_) in zip(several, ended, strict=True):
        if words[0] != "build-pairs" or process.returncode:  # a build of that name is of other material by now
            command.run(*words, *store)
    assert opened.sql("select count(*) from responses").item() == 800 + 2 * 1_600
    assert find_build(opened, "made").n_pairs == 200
    assert violations(opened.path) == []


def test_a_process_that_does_not_wait_says_who_holds_the_store(command, write_rows, tmp_path):
    store = ("--store", str(tmp_path / "s.duckdb"))
    command.run("import", "records", write_rows(5), "--models", "models.csv", *store)
    with Store.open(tmp_path / "s.duckdb").reader():
        said = command.run("import", "records", "rows.jsonl", "--models", "models.csv", "--wait", "0.1", *store, code=3)

    assert re.search(r"held by process \d+ \(waited 0\.1 s\)", said)


def test_several_processes_that_make_or_migrate_a_store_at_once_make_one(command, tmp_path, violations):
    store = ("--store", str(tmp_path / "s.duckdb"))

    started = [command.start("init", *store) for _ in range(6)]

    assert [process.communicate()[0] for process in started] == [f"{store[1]} is ready\n"] * 6
    assert violations(tmp_path / "s.duckdb") == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["s.duckdb", "s.duckdb.acknowledged"]
