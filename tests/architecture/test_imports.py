"""The two import rules of docs/architecture.md, as tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MAY_IMPORT = {
    "schemas": set(),
    "engines": {"schemas"},
    "annotators": {"schemas"},
    "verifiers": {"schemas"},
    "labels": {"schemas"},
    "transforms": {"schemas", "engines", "annotators", "verifiers", "labels"},
    "pipelines": {"schemas", "engines", "annotators", "verifiers", "labels", "transforms"},
}
"""Which rooms a room may import, besides itself."""

WALLS = {
    "apache_beam": ("transforms/", "pipelines/"),
    "torch": ("engines/",),
    "transformers": ("engines/",),
    "vllm": ("engines/",),
    "openai": ("engines/",),
    "aiohttp": ("engines/",),
    "tenacity": ("engines/",),
    "safetensors": ("engines/",),
    "tokenizers": ("engines/",),
    "huggingface_hub": ("engines/",),
    "jinja2": ("engines/",),
    "z3": ("verifiers/",),
    "cvc5": ("verifiers/",),
    "math_verify": ("verifiers/",),
    "sympy": ("verifiers/",),
    "latex2sympy2_extended": ("verifiers/",),
    "pyarrow": ("schemas/arrow.py", "schemas/columns.py", "schemas/layouts/", "transforms/io.py"),
    "datasets": ("schemas/layouts/", "transforms/io.py"),
}
"""Where a third-party package may be imported."""

STANDARD_AND = {"annotators": {"numpy", "steplabel"}, "labels": {"numpy", "steplabel"}}
"""Rooms that import the standard library and nothing else but these."""


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; under `if TYPE_CHECKING` too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write it absolute"
            assert node.module is not None
            yield node.module


def sources(repository: Path) -> list[tuple[str, Path]]:
    found = [(room, path) for room in MAY_IMPORT for path in sorted((repository / room).rglob("*.py"))]
    assert len(found) > 40
    return found


def test_rooms_import_one_way(repository: Path) -> None:
    """No room imports a room that stands beside or above it."""
    wrong = []
    for room, path in sources(repository):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "steplabel" or len(parts) < 2 or parts[1] == "version":
                continue
            if parts[1] != room and parts[1] not in MAY_IMPORT[room]:
                wrong.append(f"{path.relative_to(repository)} imports {name}")
    assert not wrong


def test_third_party_walls(repository: Path) -> None:
    """A third-party package is imported only where its wall says."""
    wrong = []
    for _, path in sources(repository):
        relative = path.relative_to(repository).as_posix()
        for name in imported(path):
            allowed = WALLS.get(name.split(".")[0])
            if allowed is not None and not relative.startswith(allowed):
                wrong.append(f"{relative} imports {name}")
    assert not wrong


@pytest.mark.parametrize("room", sorted(STANDARD_AND))
def test_pure_rooms_need_only_the_standard_library(repository: Path, room: str) -> None:
    """Algorithms and label policies import the standard library, numpy and the vocabulary."""
    import sys

    wrong = []
    for owner, path in sources(repository):
        if owner != room:
            continue
        for name in imported(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in STANDARD_AND[room]:
                wrong.append(f"{path.relative_to(repository)} imports {name}")
    assert not wrong


def test_programs_have_no_clock_thread_or_global_random(repository: Path) -> None:
    """Annotators other than the driver never touch the world: no I/O, time, threads or unseeded randomness."""
    banned = {"time", "random", "threading", "asyncio", "socket", "subprocess", "os", "io", "pathlib"}
    wrong = []
    for path in sorted((repository / "annotators").rglob("*.py")):
        if path.name in ("driver.py", "stepping.py"):
            continue
        wrong += [f"{path.name} imports {n}" for n in imported(path) if n.split(".")[0] in banned]
    assert not wrong
