"""Datasets to curate: two recipes on the same solutions, in chunks of five problems."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.pipelines.curation.options import CurationOptions, curation_of
from steplabel.pipelines.curation.summary import CurationSummary, summarise
from steplabel.pipelines.curation.writing import curate, open_curation
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.transforms.dataset import OutputFolder

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
Curate = Callable[..., tuple[OutputFolder, CurationSummary]]


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monte Carlo at every step of 20 problems, in four chunks, and the same solutions located by binary search."""
    folder = tmp_path_factory.mktemp("datasets")
    write_problems(folder / "problems.jsonl", count=40, seed=0, events=(4, 8))
    console = Console(file=io.StringIO())
    for name, recipe, k, chunk in (("mc", "math_shepherd", 4, 5), ("located", "omegaprm_locate", 2, 8)):
        chosen = apply_overrides(RECIPES[recipe](model_use(SOLVER)), [f"annotator.k={k}"])
        options = {"input": str(folder / "problems.jsonl"), "output": str(folder / name), "limit": 20, "chunk": chunk}
        run(chosen, RunOptions(**options), console)
    return folder


@pytest.fixture
def source(datasets: Path, tmp_path: Path) -> OutputFolder:
    """A copy of the first dataset."""
    return OutputFolder(str(shutil.copytree(datasets / "mc", tmp_path / "mc")))


@pytest.fixture
def other(datasets: Path, tmp_path: Path) -> OutputFolder:
    """A copy of the second one."""
    return OutputFolder(str(shutil.copytree(datasets / "located", tmp_path / "located")))


@pytest.fixture
def curated(source: OutputFolder, tmp_path: Path) -> Curate:
    """Curate a dataset (`source` by default) into `tmp_path / output`; options as of the command line."""

    def do(output: str = "curated", *, of: OutputFolder | None = None, **options: Any) -> tuple[OutputFolder, Any]:
        given, target = of or source, OutputFolder(str(tmp_path / output))
        how = curation_of(CurationOptions(**options))
        opened = open_curation(given, how)
        list(curate(opened, target))
        return target, summarise(given, target, how, opened.notes)

    return do
