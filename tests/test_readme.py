"""The README's tour prints what the README says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_tour_of_the_readme_prints_what_the_readme_says(tmp_path, monkeypatch):
    monkeypatch.delenv("TSO_STORE", raising=False)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")

    done = subprocess.run(
        [sys.executable, ROOT / "examples/tour.py", ROOT / "README.md", tmp_path / "tour", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
