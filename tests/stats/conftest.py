"""A store small enough to check every figure by hand.

cells   small m/v1/1, old m/v1/7, base m/v2/7 (the base), big m/v2/13, and people
scores  q1: small 2, old 4, base 6 and 8, big 9;  q2: all 3;  q3: small 5, base 7, big 3 and 5;  q4: old 6, small unread
build   'b': best against worst of the cells: q1 big 9 over small 2, q3 base 7 over big 4
"""

import json

import pytest

from tsodata.builds import build_pairs
from tsodata.importers import import_files
from tsodata.provenance import Run
from tsodata.recipes import Pool, Recipe
from tsodata.stats import Question, compute_stats
from tsodata.store import Store

CELLS = {"small": ("v1", "1"), "old": ("v1", "7"), "base": ("v2", "7"), "big": ("v2", "13")}
LABELS = {name: f"m/{version}/{size}" for name, (version, size) in CELLS.items()}
PROMPTS = {
    "q1": "Is water wet?",
    "q2": "Is fire cold?",
    "q3": "is  WATER wet?",  # q1 but for case and blanks
    "q4": "Say in one line how many legs a spider, an ant, a crab and a centipede each have.",
}


def row(prompt, cell, response, *scores, **more):
    said = [
        {
            "judge": "j",
            "rubric": "r",
            "scale_min": 2,
            "scale_max": 10,
            "score": score,
            "raw": f"{number}: {score}",
            **({"reason": "not_parsed"} if score is None else {}),
        }
        for number, score in enumerate(scores)
    ]
    version, size = CELLS[cell]
    cell_row = {"family": "m", "version": version, "size": size}
    return {"prompt": PROMPTS.get(prompt, prompt), "response": response, "judgements": said, **cell_row, **more}


ROWS = [
    row("q1", "small", "no", 2),
    row("q1", "old", "maybe so", 4, 4, finish_reason="length"),
    row("q1", "base", "yes it is", 6),
    row("q1", "base", "yes it is", 8, sample=1),
    row("q1", "big", "Yes, indeed it is!", 9),
    row("q2", "small", "no", 3),
    row("q2", "old", "never", 3, finish_reason="stop"),
    row("q2", "base", "no way", 3),
    row("q2", "base", "not at all", 3, sample=1),
    row("q2", "big", "never", 3),
    row("q3", "small", "it is wet", 5),
    row("q3", "base", "yes, all of it is wet", 7),
    row("q3", "big", "wet", 3, 5),
    row("q4", "small", " ", None),
    row("q4", "old", "Eight, six, ten and many.", 6, finish_reason="stop"),
    {"prompt": PROMPTS["q1"], "human": "true", "response": "Water is wet."},
]
BEST_AGAINST_WORST = Recipe(pools={"matrix": Pool(draw="max_min", candidates=("cells",))}, minibatches=1)


def build(store, name="b", recipe=BEST_AGAINST_WORST, base="m/v2/7"):
    with store.run(Run("test")) as run:
        return build_pairs(store, name, base=base, recipe=recipe, run=run, allow_short=True)


def append(store, *records):
    grouped = {}
    for record in records:
        grouped.setdefault(type(record), []).append(record)
    with store.run(Run("test")) as run, store.transaction(run) as transaction:
        transaction.append(grouped)


def fill(store, folder):
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(r)}\n" for r in ROWS))
    with store.run(Run("test")) as run:
        import_files(store, "records", [path], run=run)
    build(store)
    return store


@pytest.fixture
def tiny(store, tmp_path):
    """Return the store for tests that add to it."""
    return fill(store, tmp_path)


@pytest.fixture(scope="session")
def tiny_once(tmp_path_factory):
    """Return the store for tests that only read."""
    folder = tmp_path_factory.mktemp("stats")
    return fill(Store.open(folder / "s.duckdb", create=True), folder)


class Figures:
    """The figures of a report, found by section, name and subject."""

    def __init__(self, store, **asked):
        self.report = compute_stats(store, Question(**asked))

    def __call__(self, section, name, **subject):
        (found,) = [
            figure
            for figure in self.report.figures
            if (figure.section, figure.name) == (section, name) and subject.items() <= figure.subject.items()
        ]
        return found

    def cell(self, name, cell, section="cells", **more):
        return self(section, name, source=LABELS[cell], **more)


@pytest.fixture(scope="session")
def figures(tiny_once):
    return Figures(tiny_once)
