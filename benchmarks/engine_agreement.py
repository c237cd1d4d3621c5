"""Do the engines label alike? The demo's recipe on one model behind several engines, each with a store of its own.

    python benchmarks/engine_agreement.py --engine bundled --engine vllm:bundled [--problems 600] [--json]
    python -m vllm.entrypoints.openai.api_server --model engines/bundled/weights --served-model-name bundled &
    python benchmarks/engine_agreement.py --engine bundled --engine openai:http://127.0.0.1:8000

From equal seeds the engines draw other texts, but from the same distribution; so first-error F1 against exact truth
must agree within noise. Reported are each engine's F1, and the 90 % interval of each pair's difference, the two
taken as independent, though they share problems: the true interval is narrower.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from itertools import combinations
from pathlib import Path

from rich.console import Console

from steplabel.labels.metrics import F1Report
from steplabel.pipelines.evaluation import evaluate, exact_truth
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions

SEED = 40_001  # no other command's problems
LEVEL = 0.9


def measure(engine: str, recipe: str, problems: Path, output: Path, console: Console) -> tuple[F1Report, float]:
    """First-error F1 of a run on one engine, and its tokens per second, the model's start included."""
    made = RECIPES[recipe](model_use(engine))
    result = run(made, RunOptions(input=str(problems), output=str(output)), console)
    rate = result.usage.completion_tokens / result.seconds
    return evaluate(result.folder, exact_truth(), level=LEVEL).report, rate


def difference(one: F1Report, other: F1Report) -> tuple[float, float, float]:
    """F1 of one minus the other's, and the interval of two independent estimates."""
    half = math.hypot(one.f1_high - one.f1_low, other.f1_high - other.f1_low) / 2
    gap = one.f1 - other.f1
    return gap, gap - half, gap + half


def main() -> None:
    """Run every engine and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", required=True, help="as in `steplabel run`; give two or more")
    parser.add_argument("--problems", type=int, default=600)
    parser.add_argument("--recipe", default="omegaprm_locate")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, reports = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        problems = Path(scratch) / "problems.jsonl"
        write_problems(problems, count=options.problems, seed=SEED, events=(4, 8))
        for number, engine in enumerate(options.engine):
            folder = Path(scratch) / str(number)
            report, rate = measure(engine, options.recipe, problems, folder, Console(stderr=True))
            reports[engine] = report
            found = {"engine": engine, "f1": report.f1, "low": report.f1_low, "high": report.f1_high}
            rows.append(found | {"n_error": report.n_error, "n_clean": report.n_clean, "tokens_per_s": rate})
    pairs = []
    for one, other in combinations(reports, 2):
        gap, low, high = difference(reports[one], reports[other])
        pairs.append({"pair": f"{one} - {other}", "f1_difference": gap, "low": low, "high": high})
    if options.json:
        sys.stdout.write(json.dumps({"rows": rows, "pairs": pairs}, indent=1) + "\n")
        return
    for row in (*rows, *pairs):
        print("  ".join(f"{name}={value if isinstance(value, str) else f'{value:.4g}'}" for name, value in row.items()))


if __name__ == "__main__":
    main()
