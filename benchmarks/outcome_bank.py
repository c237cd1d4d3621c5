"""Build the outcome bank: rollouts at every prefix of a thousand solutions, kept as outcomes and lengths.

    python benchmarks/outcome_bank.py                            # the bundled model
    python benchmarks/outcome_bank.py --engine vllm:bundled      # the same by vLLM
    python benchmarks/outcome_bank.py --engine scripted:steplabel.engines.bundled.solver:sloppy --output try.parquet

Killed, the same command goes on where it was: what the store holds is not asked again. `label_quality.py` replays
methods from the bank; `pipelines/bank_building.py` says how solutions are chosen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from steplabel.pipelines.bank_building import build_bank
from steplabel.pipelines.bank_plan import BANK_SEED, BankPlan, Quota
from steplabel.pipelines.models import model_use
from steplabel.schemas.codec import to_json

OUTPUT = Path(__file__).parent / "outcome_bank.parquet"
STORE = Path(".work", "bank", "rollouts.sqlite")


def main() -> None:
    """Build, and say what there is now."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="bundled", help="as in `steplabel run`")
    parser.add_argument("--engine-set", action="append", default=[], help="as in `steplabel run`")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="Parquet file to write")
    parser.add_argument("--store", type=Path, default=STORE, help="rollout store to ask through; may be removed after")
    parser.add_argument("--rollouts", type=int, default=64, help="for each prefix")
    parser.add_argument("--solutions", type=int, default=Quota().solutions, help="different solutions, at least")
    parser.add_argument("--clean", type=int, default=Quota().clean, help="of them without a wrong step, at least")
    parser.add_argument("--erroneous", type=int, default=Quota().erroneous, help="with a wrong step, at least")
    parser.add_argument("--lucky", type=int, default=Quota().lucky, help="with a wrong step and a right answer")
    parser.add_argument("--seed", type=int, default=BANK_SEED, help="of problems, solutions and rollouts")
    parser.add_argument("--in-flight", type=int, default=8, help="problems asked about at once")
    options = parser.parse_args()
    quota = Quota(solutions=options.solutions, clean=options.clean, erroneous=options.erroneous, lucky=options.lucky)
    plan = BankPlan(
        use=model_use(options.engine, options.engine_set),
        rollouts=options.rollouts,
        quota=quota,
        seed=options.seed,
        in_flight=options.in_flight,
    )
    report = build_bank(plan, store=options.store, output=options.output, console=Console(stderr=True))
    sys.stdout.write(to_json(report).decode() + "\n")


if __name__ == "__main__":
    main()
