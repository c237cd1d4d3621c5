"""Two recipes through the whole pipeline, with a model: what the bank's figures must agree with.

Every method labels the same sampled solutions of generated, held-out problems, through one shared rollout store. What a
method costs is what its evidence consumed, whether it came from the model or from the store, so the order of the
methods does not matter. The question filter is on for all of them: only problems that the model solves sometimes
are labelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from steplabel.labels.metrics import first_error_difference
from steplabel.pipelines.evaluation import Evaluation, exact_truth, truths
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.schemas import LabelRow
from steplabel.transforms.dataset import OutputFolder

RECIPES_RUN = ("math_shepherd", "omegaprm_locate")
SEED = 20_001  # no other command's problems: the demo and the tests begin at 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    problems: int
    k: int
    engine: str
    folder: Path


def measure(plan: Plan, console: Console) -> Iterator[tuple[str, OutputFolder]]:
    """Run every method on the same problems; yields its dataset."""
    source = plan.folder / "problems.jsonl"
    write_problems(source, count=plan.problems, seed=SEED, events=(4, 8))
    for method in RECIPES_RUN:
        recipe = apply_overrides(RECIPES[method](model_use(plan.engine)), [f"annotator.k={plan.k}"])
        options = RunOptions(
            input=str(source), output=str(plan.folder / method), store=str(plan.folder / "rollouts.sqlite")
        )
        console.print(f"{method} on {plan.problems} problems")
        yield method, run(recipe, options, console).folder


def as_row(method: str, found: Evaluation) -> dict[str, float | str | int]:
    """One line of the table, with the names that `--json` promises."""
    report = found.report
    return {
        "method": method,
        "f1": report.f1,
        "f1_low": report.f1_low,
        "f1_high": report.f1_high,
        "acc_error": report.acc_error,
        "acc_clean": report.acc_clean,
        "n_error": report.n_error,
        "n_clean": report.n_clean,
        "rollouts_per_solution": found.rollouts_per_solution,
        "tokens_per_solution": found.tokens_per_solution,
    }


def difference(folders: dict[str, OutputFolder]) -> dict[str, float | str]:
    """omegaprm_locate minus math_shepherd, on the solutions that both labelled, paired."""
    first, second = RECIPES_RUN
    labels: list[dict[tuple[str, str], LabelRow]] = [
        {(row.problem_id, row.solution_id): row for row in folders[name].read("labels")} for name in (second, first)
    ]
    shared = sorted(labels[0].keys() & labels[1].keys())
    true = truths(folders[second], [labels[0][one] for one in shared], exact_truth())
    found = first_error_difference(
        [labels[0][one].first_error for one in shared],
        [labels[1][one].first_error for one in shared],
        [one for one in true if one is not None],
        groups=[labels[0][one].group_id for one in shared],
    )
    return {
        "methods": f"{second} - {first}",
        "f1_difference": found.difference,
        "low": found.low,
        "high": found.high,
    }
