"""Rules that every source file keeps, whoever wrote it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = sorted((ROOT / "src" / "vertebro").rglob("*.py"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OWN_CODE = [*SOURCES, *TESTS, *sorted((ROOT / "tools").rglob("*.py"))]

MAX_FUNCTION_LINES = 80
VAGUE_NAMES = {"utils.py", "util.py", "common.py", "helpers.py", "misc.py", "data.py"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def _names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def test_sources_are_found() -> None:
    assert len(ENGINE) > 15
    assert all(path.is_file() for path in OWN_CODE)


def test_no_module_has_a_vague_name() -> None:
    vague = [str(path.relative_to(ROOT)) for path in SOURCES if path.name in VAGUE_NAMES]

    assert vague == []


def test_only_the_shell_prints() -> None:
    prints = [
        _place(path, node)
        for path in SOURCES
        if "cli" not in path.relative_to(ROOT / "src").parts
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert prints == []


def test_nothing_is_left_unfinished() -> None:
    marks = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_prose = token.type in (tokenize.COMMENT, tokenize.STRING)
            if is_prose and UNFINISHED.search(token.string):
                marks.append(f"{path.relative_to(ROOT)}:{token.start[0]}")

    assert marks == []


def test_nothing_raises_not_implemented() -> None:
    stubs = [
        _place(path, node)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Raise) and node.exc and "NotImplementedError" in _names_in(node.exc)
    ]

    assert stubs == []


@pytest.mark.parametrize("kind", ["Exception", "BaseException"])
def test_nothing_catches_everything_and_carries_on(kind: str) -> None:
    def carries_on(handler: ast.ExceptHandler) -> bool:
        return not any(isinstance(part, ast.Raise) for part in ast.walk(handler))

    blind = [
        _place(path, node)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or kind in _names_in(node.type))
        and carries_on(node)
    ]

    assert blind == []


def _lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, which may be as long as a reader needs."""
    last = function.end_lineno or function.lineno
    lines = last - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def test_functions_are_short() -> None:
    long = [
        f"{_place(path, node)} {node.name}: {_lines_of_code(node)} lines"
        for path in OWN_CODE
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines_of_code(node) > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_the_engine_reads_no_environment_variables() -> None:
    readers = [
        _place(path, node)
        for path in ENGINE
        if "cli" not in path.relative_to(ROOT / "src").parts
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
    ]

    assert readers == []


def test_the_engine_draws_no_random_numbers_of_its_own() -> None:
    """Randomness comes from a passed ``numpy.random.Generator``; the global state is never used."""
    allowed = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64"}
    users = [
        _place(path, node)
        for path in ENGINE
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "random"
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id in ("np", "numpy")
        and node.attr not in allowed
    ]

    assert users == []


def test_ras_stays_in_the_nifti_reader_and_writer() -> None:
    """Inside, the world is LPS; the other convention ends at the door."""
    pattern = re.compile(r"\bras_from_|_from_ras\b|_ras_mm\b")
    users = [
        str(path.relative_to(ROOT))
        for path in ENGINE
        if not path.name.startswith("nifti") and pattern.search(path.read_text(encoding="utf-8"))
    ]

    assert users == []


def test_every_package_says_what_it_holds() -> None:
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(_tree(path))]

    assert silent == []
