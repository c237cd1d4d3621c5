"""Runs on the scripted solver: real pipelines, real problems, exact truth, no model."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import RunResult, run
from steplabel.pipelines.worksite import RunOptions
from steplabel.transforms.dataset import OutputFolder

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=120)


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    """40 generated problems."""
    path = tmp_path / "problems.jsonl"
    write_problems(path, count=40, seed=0, events=(4, 8))
    return path


def _recipe_of(name: str = "omegaprm_locate", *assignments: str) -> Recipe:
    return apply_overrides(RECIPES[name](model_use(SOLVER)), assignments)


@pytest.fixture
def label(tmp_path: Path, problems: Path, console: Console) -> Callable[..., RunResult]:
    """Run a recipe on the generated problems into `tmp_path / output`."""

    def run_it(output: str = "out", recipe: Recipe | None = None, **options: Any) -> RunResult:
        chosen = {"input": str(problems), "output": str(tmp_path / output), **options}
        return run(recipe or _recipe_of(), RunOptions(**chosen), console)

    return run_it


def _rows_of(folder: OutputFolder | str, table: str = "labels") -> list[Any]:
    folder = folder if isinstance(folder, OutputFolder) else OutputFolder(folder)
    return list(folder.read(table))


@pytest.fixture(scope="session")
def recipe_of() -> Callable[..., Recipe]:
    """A recipe on the scripted solver, with `--set` assignments applied."""
    return _recipe_of


@pytest.fixture
def rows_of() -> Callable[..., list[Any]]:
    """The committed records of a table, labels by default."""
    return _rows_of


@pytest.fixture(scope="session")
def labelled_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., OutputFolder]:
    """Run a recipe on the first generated problems, into a dataset that the tests of a file share and leave alone."""

    def run_it(recipe: Recipe, *, problems: int, chunk: int) -> OutputFolder:
        folder = tmp_path_factory.mktemp("source")
        write_problems(folder / "problems.jsonl", count=problems, seed=0, events=(4, 8))
        options = RunOptions(input=str(folder / "problems.jsonl"), output=str(folder / "out"), chunk=chunk)
        return run(recipe, options, Console(file=io.StringIO())).folder

    return run_it
