"""Build the outcome bank: rollouts at every prefix of a thousand solutions, kept as outcomes and lengths.

    python benchmarks/outcome_bank.py                            # the bundled model
    python benchmarks/outcome_bank.py --engine vllm:bundled      # the same by vLLM
    python benchmarks/outcome_bank.py --engine scripted:steplabel.engines.bundled.solver:sloppy --output try.parquet

    python benchmarks/outcome_bank.py --of benchmarks/outcome_bank.parquet --completer bundled --temperature 0.7

With `--of` no solution is sampled: another completer (or the same at another temperature) continues every prefix of a
bank that is there, which makes a second source about the same steps.

Killed, the same command goes on where it was: what the store holds is not asked again. `label_quality.py` replays
methods from the bank; `pipelines/bank_building.py` says how solutions are chosen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from steplabel.pipelines.bank_asking import BankReport
from steplabel.pipelines.bank_building import build_bank
from steplabel.pipelines.bank_plan import BANK_SEED, SECOND_SEED, BankPlan, Quota, RolloutsWanted
from steplabel.pipelines.bank_second import build_second
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import ModelUse
from steplabel.schemas.codec import to_json

OUTPUT = Path(__file__).parent / "outcome_bank.parquet"
STORE = Path(".work", "bank", "rollouts.sqlite")


SECOND = Path(__file__).parent / "outcome_bank_second.parquet"


def main() -> None:
    """Build, and say what there is now."""
    options = parsed()
    console = Console(stderr=True)
    report = first_bank(options, console) if options.of is None else second_bank(options, console)
    sys.stdout.write(to_json(report).decode() + "\n")


def parsed() -> argparse.Namespace:
    """The command line; options that have no effect on what is built are refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="bundled", help="as in `steplabel run`; writes solutions and rollouts")
    parser.add_argument("--engine-set", action="append", default=[], help="as in `steplabel run`")
    parser.add_argument("--output", type=Path, help="Parquet file to write")
    parser.add_argument("--store", type=Path, default=STORE, help="rollout store to ask through; may be removed after")
    parser.add_argument("--rollouts", type=int, default=64, help="for each prefix")
    parser.add_argument("--solutions", type=int, default=Quota().solutions, help="different solutions, at least")
    parser.add_argument("--clean", type=int, default=Quota().clean, help="of them without a wrong step, at least")
    parser.add_argument("--erroneous", type=int, default=Quota().erroneous, help="with a wrong step, at least")
    parser.add_argument("--lucky", type=int, default=Quota().lucky, help="with a wrong step and a right answer")
    parser.add_argument("--seed", type=int, help="of problems, solutions and rollouts")
    parser.add_argument("--in-flight", type=int, default=8, help="problems asked about at once")
    second = parser.add_argument_group("a second completer")
    second.add_argument("--of", type=Path, help="bank whose solutions are continued")
    second.add_argument("--completer", help="engine that continues them, as in `steplabel run`; `--engine-set` is its")
    second.add_argument("--temperature", type=float, help="of its rollouts; its own if not said")
    options = parser.parse_args()
    if (options.of is None) != (options.completer is None):
        parser.error("--of says whose prefixes are continued and --completer by whom: they go together")
    if options.of is None and options.temperature is not None:
        parser.error("--temperature is a second completer's: give --of and --completer")
    return options


def first_bank(options: argparse.Namespace, console: Console) -> BankReport:
    """Solutions and rollouts by one model."""
    quota = Quota(solutions=options.solutions, clean=options.clean, erroneous=options.erroneous, lucky=options.lucky)
    plan = BankPlan(
        use=model_use(options.engine, options.engine_set),
        rollouts=options.rollouts,
        quota=quota,
        seed=BANK_SEED if options.seed is None else options.seed,
        in_flight=options.in_flight,
    )
    return build_bank(plan, store=options.store, output=options.output or OUTPUT, console=console)


def second_bank(options: argparse.Namespace, console: Console) -> BankReport:
    """Rollouts by another completer from the prefixes of a bank that is there."""
    wanted = RolloutsWanted(
        use=completer_use(options),
        rollouts=options.rollouts,
        seed=SECOND_SEED if options.seed is None else options.seed,
        in_flight=options.in_flight,
    )
    output = options.output or SECOND
    return build_second(wanted, of=options.of, store=options.store, output=output, console=console)


def completer_use(options: argparse.Namespace) -> ModelUse:
    """The second completer, at the temperature that was asked for."""
    use = model_use(options.completer, options.engine_set)
    if options.temperature is None:
        return use
    return replace(use, sampling=replace(use.sampling, temperature=options.temperature))


if __name__ == "__main__":
    main()
