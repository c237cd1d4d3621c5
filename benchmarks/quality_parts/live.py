"""Recipes through the whole pipeline, with a model: what the bank's figures must agree with, and what it cannot replay.

All recipes run on the same generated, held-out problems through one shared rollout store, each with its own number of
solutions a problem, its own question filter and its own view. What a recipe costs is what its evidence consumed,
whether it came from the model or from the store, so their order does not matter. A row is about the solutions that the
recipe labels: those of the paired two are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from steplabel.labels.metrics import first_error_difference
from steplabel.pipelines.evaluation import Evaluation, evaluate, exact_truth, truths
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipe import Recipe, field_paths
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.schemas import ConfigError, LabelRow
from steplabel.transforms.dataset import OutputFolder

PAIRED: Final = ("math_shepherd", "omegaprm_locate")
"""Run if no recipe is named; their difference is measured solution by solution."""
SEED: Final = 20_001  # no other command's problems: the demo and the tests begin at 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured. `k` is put where an annotator has one for all problems; `folder` keeps datasets and store."""

    recipes: tuple[str, ...]
    problems: int
    k: int
    engine: str
    folder: Path

    def __post_init__(self) -> None:
        if unknown := [name for name in self.recipes if name not in RECIPES]:
            raise ConfigError(f"--recipe {unknown[0]!r}: there are {', '.join(RECIPES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """One recipe's figures; n_error and n_clean are the solutions that it labelled."""

    method: str
    f1: float
    f1_low: float
    f1_high: float
    acc_error: float
    acc_clean: float
    n_error: int
    n_clean: int
    rollouts_per_solution: float
    tokens_per_solution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """F1 of one recipe less that of another, on the solutions that both labelled. `methods` says which."""

    methods: str
    f1_difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
    """All recipes' rows; `paired` is None unless both of `PAIRED` ran."""

    described: str
    rows: tuple[LiveRow, ...]
    paired: Paired | None


def measure_live(plan: Plan, console: Console) -> LiveReport:
    """Run every recipe on the same problems."""
    folders = dict(_run(plan, console))
    return LiveReport(
        described=_described(plan),
        rows=tuple(_row(name, evaluate(folder, exact_truth()), folder) for name, folder in folders.items()),
        paired=_difference(folders) if set(PAIRED) <= folders.keys() else None,
    )


def _described(plan: Plan) -> str:
    temperature = model_use(plan.engine).sampling.temperature
    return (
        f"{plan.problems} problems, engine `{plan.engine}` at temperature {temperature:g}, "
        f"k = {plan.k} where a recipe has one k."
    )


def _run(plan: Plan, console: Console) -> Iterator[tuple[str, OutputFolder]]:
    source = plan.folder / "problems.jsonl"
    write_problems(source, count=plan.problems, seed=SEED, events=(4, 8))
    for name in plan.recipes:
        options = RunOptions(
            input=str(source), output=str(plan.folder / name), store=str(plan.folder / "rollouts.sqlite")
        )
        console.print(f"{name} on {plan.problems} problems")
        yield name, run(recipe_of(name, plan), options, console).folder


def recipe_of(name: str, plan: Plan) -> Recipe:
    """The recipe with the plan's k, where there is one k: an annotator that asks by difficulty does not heed it."""
    recipe = RECIPES[name](model_use(plan.engine))
    paths = {path for path, _ in field_paths(recipe)}
    by_difficulty = any(path.startswith("annotator.k_by_difficulty.") for path in paths)
    has_k = "annotator.k" in paths and not by_difficulty
    return apply_overrides(recipe, [f"annotator.k={plan.k}"] if has_k else [])


def _row(method: str, found: Evaluation, folder: OutputFolder) -> LiveRow:
    report = found.report
    return LiveRow(
        method=method,
        f1=report.f1,
        f1_low=report.f1_low,
        f1_high=report.f1_high,
        acc_error=report.acc_error,
        acc_clean=report.acc_clean,
        n_error=report.n_error,
        n_clean=report.n_clean,
        rollouts_per_solution=rollouts_per_solution(folder),
        tokens_per_solution=found.tokens_per_solution,
    )


def rollouts_per_solution(folder: OutputFolder) -> float:
    """Rollouts and probes asked at the prefixes of each labelled solution, the bare problem among them.

    From the dataset's rollouts, not from the rows' counts: these are of steps alone, and of sampled siblings where a
    view counts siblings.
    """
    asked = Counter({one.key: one.node_key for one in folder.read("rollouts")}.values())
    roots = {problem.id: problem.root_key for problem in folder.read("problems")}
    paths = {(one.problem_id, one.id): one.node_keys for one in folder.read("solutions")}
    counts = []
    for problem_id, solution_id in _labels(folder):
        keys = {roots[problem_id], *paths[problem_id, solution_id]}
        counts.append(sum(asked[key] for key in keys))
    return sum(counts) / max(1, len(counts))


def _difference(folders: Mapping[str, OutputFolder]) -> Paired:
    """The second of `PAIRED` less the first."""
    first, second = (_labels(folders[name]) for name in PAIRED)
    shared = sorted(first.keys() & second.keys())
    true = truths(folders[PAIRED[1]], [second[one] for one in shared], exact_truth())
    found = first_error_difference(
        [second[one].first_error for one in shared],
        [first[one].first_error for one in shared],
        [one for one in true if one is not None],
        groups=[second[one].group_id for one in shared],
    )
    return Paired(methods=f"{PAIRED[1]} - {PAIRED[0]}", f1_difference=found.difference, low=found.low, high=found.high)


def _labels(folder: OutputFolder) -> dict[tuple[str, str], LabelRow]:
    rows: Sequence[LabelRow] = list(folder.read("labels"))
    return {(row.problem_id, row.solution_id): row for row in rows}
