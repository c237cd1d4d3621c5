"""Every recipe labels from the command's first line to its last, and says what it reproduces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from inspect import getdoc
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steplabel.pipelines.cli import app
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import RunResult
from steplabel.schemas import SolutionSource, StepMark

SMALLER = {
    "genprm": ("annotator.k_by_difficulty.pilot=8",),
    "scan_pro": ("solutions=8",),
    "scan_search": ("solutions=8",),
    "omegaprm": ("solutions=8", "annotator.searches=6"),
    "rest_mcts": ("solutions=8", "annotator.searches=6"),
    "alphamath": ("solutions=8", "annotator.searches=6"),
}
"""What makes a run of 12 problems short; the recipes' own constants stand in their docstrings."""
SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "igpo"])
def test_it_labels(label: Callable[..., RunResult], recipe_of: Callable[..., Recipe], rows_of, name: str) -> None:  # type: ignore[no-untyped-def]
    """A dozen problems give labelled steps, right ones among them; what is left out has a reason."""
    recipe = recipe_of(name, *SMALLER.get(name, ()))
    result = label(recipe=recipe, limit=12)
    assert result.complete
    rows = rows_of(result.folder)
    assert {row.label_policy for row in rows} == {recipe.labels.name}
    assert any(mark is StepMark.POSITIVE for row in rows for mark in row.labels)
    assert all(reject.reason for reject in rows_of(result.folder, "rejects"))
    grown = any(s.source is SolutionSource.TREE for s in rows_of(result.folder, "solutions"))
    assert grown == (name in {"omegaprm", "rest_mcts", "alphamath"})


@pytest.mark.slow
def test_igpo_labels(label: Callable[..., RunResult], rows_of) -> None:  # type: ignore[no-untyped-def]
    """It needs log-probabilities of prompts, which the bundled model gives."""
    result = label(recipe=replace(RECIPES["igpo"](model_use("bundled")), question_filter=None), limit=3)
    assert result.complete
    assert {mark for row in rows_of(result.folder) for mark in row.labels} > {StepMark.POSITIVE}


@pytest.mark.parametrize("name", RECIPES)
def test_it_says_what_it_reproduces(name: str) -> None:
    """Its docstring names a paper, or says that it is ours; its record carries its name."""
    said = getdoc(RECIPES[name]) or ""
    assert re.search(r"arXiv:\d{4}\.\d{5}|\b[Oo]urs\b|G-RA|IGPO", said)
    assert RECIPES[name](model_use("scripted:m:f")).name == name


def test_a_completer_of_its_own(label: Callable[..., RunResult], rows_of) -> None:  # type: ignore[no-untyped-def]
    """PAV's prover: the rows name two models, and rollouts are the completer's alone."""
    prover = model_use(SOLVER, ["name=prover"]).engine
    result = label(recipe=RECIPES["pav"](replace(model_use(SOLVER), completer=prover)), limit=6)
    rows = rows_of(result.folder)
    assert all(row.completer_model and row.completer_model != row.policy_model for row in rows)
    assert {r.completer for r in rows_of(result.folder, "rollouts")} == {row.completer_model for row in rows}


def test_the_list_bounds_the_cost(tmp_path: Path) -> None:
    """`recipes --problems N --steps T`: most samples of N problems, twice as many for twice the problems."""

    def most(problems: int) -> int:
        command = ["recipes", "--engine", "scripted:m:f", "--problems", str(problems), "--steps", "8"]
        printed = CliRunner().invoke(app, command, env={"COLUMNS": "160"}, catch_exceptions=False).output
        line = next(line for line in printed.splitlines() if line.strip().startswith("math_shepherd"))
        return int(line.split()[1].replace(",", ""))

    assert most(100) == 100 * 4 * (1 + 8 * 7)
    assert most(200) == 2 * most(100)
