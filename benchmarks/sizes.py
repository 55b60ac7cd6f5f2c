"""Who does what, and on how many prompts: what would take hours runs on fewer, and is scaled."""

from __future__ import annotations

from typing import NamedTuple

TASKS = ("draw", "build", "shape", "ends", "import_parquet", "import_jsonl")
GROWTH = ("draw", "shape", "build")
CONTENDERS = ("store", "polars", "pandas", "datasets", "loops")


class Sizes(NamedTuple):
    """Numbers of prompts: of the main comparison, of slow contenders, of the slowest, of an import, of the growth."""

    full: int
    slow: int
    slowest: int
    imported: int
    growth: tuple[int, ...]

    def of(self, contender: str, task: str) -> int:
        """Return how many prompts a contender gets."""
        if task.startswith("import"):
            return self.imported
        if contender == "datasets" or (contender, task) == ("loops", "shape"):
            return self.slowest
        if contender == "loops" or (contender, task) == ("pandas", "build"):
            return self.slow
        return self.full


FULL = Sizes(1_000_000, 100_000, 10_000, 10_000, (10_000, 100_000, 1_000_000))
MEDIUM = Sizes(300_000, 30_000, 3_000, 10_000, (30_000, 300_000))
SMALL = Sizes(10_000, 10_000, 1_000, 1_000, (1_000, 10_000))
