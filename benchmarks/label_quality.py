"""How good are the labels, and what do they cost? First-error F1 against exact truth, for every method.

    python benchmarks/label_quality.py                       # the bundled model, about ten minutes on two cores
    python benchmarks/label_quality.py --json --problems 40

Every method labels the same sampled solutions of generated, held-out problems, through the whole pipeline and one
shared rollout store. What a method costs is what its evidence consumed, whether it came from the model or from the
store, so the order of the methods does not matter. The question filter is on for all of them: only problems
that the model solves sometimes are labelled.

`f1` is ProcessBench's (harmonic mean of exact location on erroneous and on clean solutions), against *strict* truth: a
step is wrong iff what it asserts is not true. Intervals are 95 % bootstraps over problems.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from steplabel.labels.metrics import first_error_difference
from steplabel.pipelines.evaluation import Evaluation, evaluate, exact_truth, truths
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.schemas import LabelRow
from steplabel.transforms.dataset import OutputFolder

METHODS = ("math_shepherd", "omegaprm_locate")
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
    for method in METHODS:
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
    labels: list[dict[tuple[str, str], LabelRow]] = [
        {(row.problem_id, row.solution_id): row for row in folders[name].read("labels")} for name in reversed(METHODS)
    ]
    shared = sorted(labels[0].keys() & labels[1].keys())
    true = truths(folders[METHODS[1]], [labels[0][one] for one in shared], exact_truth())
    found = first_error_difference(
        [labels[0][one].first_error for one in shared],
        [labels[1][one].first_error for one in shared],
        [one for one in true if one is not None],
        groups=[labels[0][one].group_id for one in shared],
    )
    return {
        "methods": f"{METHODS[1]} - {METHODS[0]}",
        "f1_difference": found.difference,
        "low": found.low,
        "high": found.high,
    }


def show(rows: list[dict[str, float | str | int]], paired: dict[str, float | str]) -> None:
    """Print the table."""
    table = Table(title="First-error F1 against exact truth, and its cost")
    names = (
        "method",
        "F1",
        "95 % interval",
        "acc. erroneous",
        "acc. clean",
        "rollouts/solution",
        "tokens/solution",
    )
    for name in names:
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in rows:
        table.add_row(
            str(row["method"]),
            f"{row['f1']:.3f}",
            f"{row['f1_low']:.3f} - {row['f1_high']:.3f}",
            f"{row['acc_error']:.3f} of {row['n_error']}",
            f"{row['acc_clean']:.3f} of {row['n_clean']}",
            f"{row['rollouts_per_solution']:.1f}",
            f"{row['tokens_per_solution']:.0f}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"{paired['methods']}: F1 {paired['f1_difference']:+.3f} [{paired['low']:+.3f}, {paired['high']:+.3f}], paired"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=400, help="problems to sample; the filter keeps some")
    parser.add_argument("--k", type=int, default=8, help="rollouts for each prefix")
    parser.add_argument("--engine", default="bundled", help="as in `steplabel run`")
    parser.add_argument("--keep", type=Path, help="folder for datasets and store, kept and gone on with")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        plan = Plan(
            problems=options.problems,
            k=options.k,
            engine=options.engine,
            folder=options.keep or Path(scratch),
        )
        folders = dict(measure(plan, Console(stderr=True)))
        rows = [as_row(method, evaluate(folder, exact_truth())) for method, folder in folders.items()]
        paired = difference(folders)
    if options.json:
        sys.stdout.write(json.dumps({"rows": rows, "paired": paired}, indent=1) + "\n")
    else:
        show(rows, paired)


if __name__ == "__main__":
    main()
