"""`python -m miniature FOLDER`: run the experiments, and write docs/miniature.md from what they found."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from miniature.matrix import FULL, MOST_SEEDS, SMALL
from miniature.page import KEPT, PAGE, kept, write
from miniature.running import UNITS, Work, run
from miniature.summary import Results


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="miniature", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the stores, models and figures go; run again, it goes on")
    parser.add_argument("--small", action="store_true", help="a version of ten minutes, to see that everything runs")
    parser.add_argument("--seeds", type=int, choices=range(1, MOST_SEEDS + 1), help="how many seeds")
    parser.add_argument("--page", action="store_true", help="run nothing: make the page again from the kept figures")
    parser.add_argument("--minutes", type=float, help="begin no unit after so many minutes")
    asked = parser.parse_args()
    scale = SMALL if asked.small else FULL
    if asked.seeds:
        scale = replace(scale, n_seeds=asked.seeds)
    if asked.page:
        write(kept(PAGE.with_suffix("") / KEPT), PAGE, maps=None)
        return 0
    work = Work(asked.folder, scale)
    failed = run(work, until=time.time() + 60 * asked.minutes if asked.minutes else None)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    results = Results.read(work.results, UNITS)
    if results.seeds:
        page = PAGE
        if asked.small:  # the page is of the full run
            page = asked.folder / PAGE.name
            shutil.copy(PAGE, page)
        write(results, page, maps=asked.folder / "seed-1" / "plots")
        print(f"{page}: {len(results.seeds)} seeds")
    return int(bool(failed) or not results.seeds)


if __name__ == "__main__":
    sys.exit(main())
