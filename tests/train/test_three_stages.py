"""The example, with next to no pretraining: three stages of a store's build, each from the one before."""

import subprocess
import sys
from pathlib import Path

from tsodata.store import Store

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "three_stages.py"


def test_three_stages_lead_from_a_tiny_llama_to_a_policy_that_knows_its_pairs(tmp_path):
    words = [sys.executable, EXAMPLE, tmp_path / "out", "--prompts", "12", "--steps", "4", "--losses", "dual_clip"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    store = Store(tmp_path / "out" / "tso.duckdb")
    names = store.sql("select name from v_policies").to_series()
    evidence = store.query("policy-evidence", policy="dual-clip/3")
    assert sorted(names) == ["dual-clip/1", "dual-clip/2", "dual-clip/3", "tiny/v2/1"]
    assert set(evidence["steps_back"]) == {1, 2, 3}
    assert set(evidence.filter(side="chosen")["source"]) == {"human"}
    assert (tmp_path / "out" / "curves-dual-clip.png").stat().st_size > 10_000
