"""The preference store: prompts, matrix responses, human answers, scores and the pairs drawn from them.

    import tsodata

    store = tsodata.Store.open("tso.duckdb")
    store.sql("select family, version, size, count(*) as n from v_responses group by all")
    store.query("pairs-by-source", build="first")

Importing the package is cheap: DuckDB and polars are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tsodata._version import __version__

if TYPE_CHECKING:
    from tsodata.builds import build_pairs, diff_builds, find_build, rebuild, verify_build
    from tsodata.exporters import export_build
    from tsodata.importers import import_files
    from tsodata.lineage import explain_answer, explain_pair
    from tsodata.matrix import ModelMatrix
    from tsodata.recipes import Recipe
    from tsodata.store import Store

_HOMES = {
    "ModelMatrix": "tsodata.matrix",
    "Recipe": "tsodata.recipes",
    "Store": "tsodata.store",
    "build_pairs": "tsodata.builds",
    "diff_builds": "tsodata.builds",
    "explain_answer": "tsodata.lineage",
    "explain_pair": "tsodata.lineage",
    "export_build": "tsodata.exporters",
    "find_build": "tsodata.builds",
    "import_files": "tsodata.importers",
    "rebuild": "tsodata.builds",
    "verify_build": "tsodata.builds",
}

__all__ = [
    "ModelMatrix",
    "Recipe",
    "Store",
    "__version__",
    "build_pairs",
    "diff_builds",
    "explain_answer",
    "explain_pair",
    "export_build",
    "find_build",
    "import_files",
    "rebuild",
    "verify_build",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'tsodata' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
