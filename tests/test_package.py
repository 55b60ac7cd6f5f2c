"""What is installed: every module imports, and the wheel holds what the tree holds under no generic name."""

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("tsodata", "tsotrain")
    for path in (ROOT / package).rglob("*.py")
)


@pytest.mark.parametrize("name", [*MODULES, *(f"tsocli.{p.stem}" for p in (ROOT / "cli").glob("[!_]*.py"))])
def test_every_module_imports(name):
    importlib.import_module(name.removesuffix(".__init__"))


def test_the_wheel_holds_the_tree_and_no_generic_name(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", tmp_path, ROOT], check=True, capture_output=True, text=True
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"tsodata", "tsotrain", "tsocli"}
    homes = {"tsodata": "tsodata", "tsotrain": "tsotrain", "sql": "tsodata/_sql", "cli": "tsocli"}
    expected = {
        f"{home}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, home in homes.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".sql", ".toml") or path.name == "py.typed"
    }
    assert expected == {name for name in names if ".dist-info/" not in name}
