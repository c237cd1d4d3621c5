"""Every recipe labels from the command's first line to its last, and says what it reproduces."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from inspect import getdoc
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.steps.answer_probe import AnswerProbe
from steplabel.annotators.trees.mcts import MCTS
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.labels.counting import Counted, RolloutCounts
from steplabel.labels.estimation import Soft
from steplabel.pipelines.cli import app
from steplabel.pipelines.exporting import export_dataset
from steplabel.pipelines.generated_logic import proof_rows
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import RunResult
from steplabel.schemas import ConfigError, SolutionSource, StepMark
from steplabel.schemas.segmentation import BlankLineSteps
from steplabel.transforms.io import write_rows
from steplabel.verifiers.registry import ENTRIES

SMALLER = {
    "genprm": ("annotator.k_by_difficulty.pilot=8",),
    "scan_base": ("solutions=8",),
    "scan_pro": ("solutions=8",),
    "scan_search": ("solutions=8",),
    "omegaprm": ("solutions=8", "annotator.searches=6"),
    "rest_mcts": ("solutions=8", "annotator.searches=6"),
    "alphamath": ("solutions=8", "annotator.searches=6"),
    "mm_prm": ("solutions=8", "annotator.searches=6"),
    "step_q": ("solutions=8", "annotator.searches=6"),
    "hrm": ("solutions=8", "annotator.searches=6"),
}
"""What makes a run of 12 problems short; the recipes' own constants stand in their docstrings."""
TREES = {"omegaprm", "mm_prm", "rest_mcts", "alphamath", "step_q", "hrm"}
SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in ("igpo", "fover", "formalised")])
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
    assert grown == (name in TREES)


@pytest.mark.slow
def test_igpo_labels(label: Callable[..., RunResult], rows_of) -> None:  # type: ignore[no-untyped-def]
    """It needs log-probabilities of prompts, which the bundled model gives."""
    result = label(recipe=replace(RECIPES["igpo"](model_use("bundled")), question_filter=None), limit=3)
    assert result.complete
    assert {mark for row in rows_of(result.folder) for mark in row.labels} > {StepMark.POSITIVE}


def test_fover_labels_proofs(label: Callable[..., RunResult], rows_of, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Every step of generated proofs, right and wrong ones, is labelled as it was made; FoVer layout says so."""
    source = tmp_path / "proofs.jsonl"
    made = list(proof_rows(count=12, seed=0))
    write_rows(made, str(source))
    result = label(recipe=RECIPES["fover"](model_use(SOLVER)), input=str(source))
    assert result.complete
    truth = {(row["problem"], *row["solution_steps"]): row["error_labels"] for row in made}
    rows = rows_of(result.folder)
    assert len(rows) == len(truth) > 20
    words = {StepMark.POSITIVE: True, StepMark.NEGATIVE: False, StepMark.UNKNOWN: None}
    for row in rows:
        steps = (step.rstrip("\n") for step in row.steps)
        assert [words[mark] for mark in row.labels] == truth[(row.problem, *steps)]
        assert row.label_sources == ("logic+sat_task",)
    path = tmp_path / "out.jsonl"
    export_dataset(result.folder, "fover", str(path))
    written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted(map(str, (row["error_labels"] for row in written))) == sorted(map(str, truth.values()))


@pytest.mark.parametrize(("digits", "mark"), [("10", StepMark.POSITIVE), ("11", StepMark.NEGATIVE)])
def test_fover_labels_answers_about_clauses(  # type: ignore[no-untyped-def]
    label: Callable[..., RunResult], rows_of, tmp_path: Path, digits: str, mark: StepMark
) -> None:
    """The step that answers is right or wrong; the one before it, which claims nothing, stays unknown."""
    source = tmp_path / "sat.jsonl"
    question = ENTRIES["sat_task"].question
    solution = f"I try values.\nThe final answer is {digits}"
    row = {"id": "p", "problem": question, "answer": "10", "domain": "sat", "solutions": [solution]}
    write_rows([row], str(source))
    result = label(recipe=RECIPES["fover"](model_use(SOLVER)), input=str(source))
    imported = [row for row in rows_of(result.folder) if "".join(row.steps) == solution]
    assert [row.labels for row in imported] == [(StepMark.UNKNOWN, mark)]


def test_formalised_labels_what_the_formulas_say(
    label: Callable[..., RunResult],
    rows_of,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    """A model writes solutions and their formulas; the step whose number is wrong fails, the one before it holds."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    source = tmp_path / "sums.jsonl"
    rows = [{"id": f"p{i}", "problem": f"Start with {i} and {i + 3}.", "answer": str(4 * i + 6)} for i in range(4)]
    write_rows(rows, str(source))
    result = label(recipe=RECIPES["formalised"](model_use("scripted:formaliser:play")), input=str(source))
    assert result.complete
    rows = rows_of(result.folder)
    assert len(rows) == 16
    for row in rows:
        right = int(row.final_answer) == int(row.gold_answer)
        second = StepMark.POSITIVE if right else StepMark.NEGATIVE
        assert row.labels == (StepMark.POSITIVE, second, StepMark.UNKNOWN)
        assert row.label_sources == ("z3_formalisation",)


@pytest.mark.parametrize("name", RECIPES)
def test_it_says_what_it_reproduces(name: str) -> None:
    """Its docstring names a paper, or says that it is ours; its record carries its name."""
    said = getdoc(RECIPES[name]) or ""
    assert re.search(r"arXiv:\d{4}\.\d{5}|\b[Oo]urs\b|G-RA|IGPO", said)
    assert RECIPES[name](model_use("scripted:m:f")).name == name


FINISHED = re.compile(r"`steplabel (curate|export) RUN (.*?)`", re.DOTALL)
FINISHING = [name for name in RECIPES if FINISHED.search(getdoc(RECIPES[name]) or "")]


@pytest.mark.parametrize("name", [name for name in FINISHING if name not in {"qwen_monte_carlo", "scan_pro"}])
def test_the_command_that_finishes_the_job(
    label: Callable[..., RunResult],
    recipe_of: Callable[..., Recipe],
    tmp_path: Path,
    name: str,
) -> None:
    """It stands in the docstring, and works on what the recipe made. (One command wants a second dataset, and one
    recipe is another one under the paper's second name.)"""
    run = label(recipe=recipe_of(name, *SMALLER.get(name, ())), limit=16).folder
    said = FINISHED.search(getdoc(RECIPES[name]) or "")
    assert said is not None
    out = tmp_path / "finished.jsonl"
    words = said[2].replace("FILE", str(out)).replace("DIR", str(out)).split()
    # What is dropped follows the constants of the paper, which a dozen problems may not fill.
    done = CliRunner().invoke(app, [said[1], run.path, *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "rows written" in done.output if said[1] == "export" else "kept" in done.output


def test_which_recipes_name_a_command() -> None:
    """Those whose paper does something with the labels that a run alone does not do."""
    assert set(FINISHING) == {
        "qwen_monte_carlo",
        "prof",
        "glore",
        "scan_base",
        "scan_pro",
        "intervention",
        "step_q",
        "hrm",
    }


def test_scan_names_are_the_papers() -> None:
    """Base and Pro are one method under one and under several models; the third one is ours and asks otherwise."""
    base, pro, ours = (RECIPES[name](model_use("scripted:m:f")) for name in ("scan_base", "scan_pro", "scan_search"))
    assert replace(pro, name="scan_base") == base
    assert ours.annotator != base.annotator
    assert "Ours" in (getdoc(RECIPES["scan_search"]) or "")


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


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_tree_has_the_steps_of_the_solutions(name: str) -> None:
    """A chat model's steps are paragraphs: what is proposed ends where a step ends, and is cut by the same rule."""
    recipe = RECIPES[name](model_use("transformers:m"))
    assert recipe.segmenter == BlankLineSteps()
    if isinstance(recipe.annotator, MCTS):
        proposals = recipe.annotator.proposals
        assert (proposals.segmenter, proposals.stop) == (recipe.segmenter, ("\n\n",))
    else:
        assert isinstance(recipe.annotator, OmegaPRM)
        assert recipe.annotator.segmenter == recipe.segmenter


class TestWhatCannotBeLabelled:
    """A recipe that would pay for evidence which its label view cannot use is refused before it costs anything."""

    @pytest.mark.parametrize("name", ["vsrm", "anytime_reasoner"])
    def test_answers_that_nobody_counts(self, name: str) -> None:
        """The annotator's text and the view's must be the same; the message names the setting to add."""
        recipe = RECIPES[name](model_use("scripted:m:f"))
        assert isinstance(recipe.annotator, AnswerProbe)
        other = replace(recipe.annotator, probe="So: ")
        with pytest.raises(ConfigError, match=re.escape("--set labels.counting.probe='So: '")):
            replace(recipe, annotator=other)
        assert isinstance(recipe.labels, Counted)
        counting = RolloutCounts(probe="So: ")
        labels = replace(recipe.labels, counting=counting, name="")
        assert replace(recipe, annotator=other, labels=labels).labels == labels
        with pytest.raises(ConfigError, match="'So: '"):
            replace(recipe, labels=labels)

    def test_answers_that_a_view_of_rollouts_does_not_see(self) -> None:
        """Forced answers lie beside the prefixes' own rollouts: a plain view counts none of them."""
        with pytest.raises(ConfigError, match="'Answer: '"):
            replace(RECIPES["vsrm"](model_use("scripted:m:f")), labels=Soft())

    EARLY = ("annotator.stop_at_first_success=true", "annotator.zero_test={}")

    @pytest.mark.parametrize("early", EARLY)
    @pytest.mark.parametrize("name", ["genprm", "pav", "pure", "gra", "prof", "scan_base", "scan_search"])
    def test_shares_of_those_who_stopped_early(self, recipe_of: Callable[..., Recipe], name: str, early: str) -> None:
        """c/k of an annotator that stops at the first success is too high: views that read it are refused."""
        with pytest.raises(ConfigError, match="stop early"):
            recipe_of(name, early)

    @pytest.mark.parametrize("early", EARLY)
    @pytest.mark.parametrize("name", ["math_shepherd", "qwen_monte_carlo", "glore", "omegaprm_locate", "intervention"])
    def test_whether_any_is_right_needs_no_more(self, recipe_of: Callable[..., Recipe], name: str, early: str) -> None:
        """Hard labels at threshold 0 come out as with all k."""
        annotator = recipe_of(name, early).annotator
        assert isinstance(annotator, RolloutPlan)
        assert annotator.ends_early
