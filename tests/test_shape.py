"""The shape of the code: files and functions of a length that is read at one go."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    path for folder in ("tsodata", "tsotrain", "cli", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
FUNCTIONS = [
    (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
    for path in FILES
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
]


def length(node):
    return node.end_lineno - node.lineno + 1


def test_no_file_is_longer_than_400_lines():
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}

    assert {path: n for path, n in long.items() if n > 400} == {}


def test_no_function_is_longer_than_80_lines_and_hardly_any_than_45():
    assert [name for name, node in FUNCTIONS if length(node) > 80] == []
    assert sum(length(node) <= 45 for _, node in FUNCTIONS) >= 0.95 * len(FUNCTIONS)


def test_nobody_passes_more_than_three_arguments_by_place():
    crowded = [
        name
        for name, node in FUNCTIONS
        if len([a for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in {"self", "cls", "ctx"}]) > 3
    ]

    assert len(crowded) <= 0.1 * len(FUNCTIONS), crowded
