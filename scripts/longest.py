"""Prints the longest files and functions of the program, longest first.

`python scripts/longest.py [COUNT]`: of each ten, or COUNT. Generated files and tests are left out.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = ("tests/", "bot/outbox/migrations/versions/")


def main(count: int) -> None:
    """Print both lists."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [path for path in listed.stdout.split() if not path.startswith(_LEFT_OUT)]
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
    print("Files, in lines")
    for length, path in sorted(((text.count("\n"), path) for path, text in texts.items()), reverse=True)[
        :count
    ]:
        print(f"{length:5} {path}")
    print("Functions, in lines without docstring")
    found = (each for path, text in texts.items() for each in functions(path, text))
    for length, name in sorted(found, reverse=True)[:count]:
        print(f"{length:5} {name}")


def functions(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the length and the place of each function; those within it and its docstring do not count."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = _lines(node) - sum(_lines(inner) for inner in ast.walk(node) if _is_apart(inner, node))
            yield length, f"{path}:{node.lineno} {node.name}"


def _is_apart(inner: ast.AST, outer: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return inner in outer.body
    return inner is outer.body[0] and isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)


def _lines(node: ast.AST) -> int:
    return (getattr(node, "end_lineno", 0) or 0) - getattr(node, "lineno", 1) + 1


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
