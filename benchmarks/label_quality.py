"""How good are the labels, and what do they cost? First-error F1 against exact truth, for every method.

    python benchmarks/label_quality.py --bank benchmarks/outcome_bank.parquet           # no model, a minute
    python benchmarks/label_quality.py --bank benchmarks/outcome_bank.parquet --write   # and into docs/label_quality.md
    python benchmarks/label_quality.py                       # live: the bundled model, about ten minutes on two cores
    python benchmarks/label_quality.py --json --problems 40

From the bank (`outcome_bank.py` builds it) every method of `quality_parts/methods.py` sees the same rollouts, at
several budgets, and as many times with rollouts it has not seen as `--replications` allows. Live, two recipes run
through the whole pipeline on other problems: their figures and the bank's must agree within their intervals.

`f1` is ProcessBench's (harmonic mean of exact location on erroneous and on clean solutions), against *strict* truth: a
step is wrong iff what it asserts is not true. Intervals are 95 % bootstraps over problems. Whatever was chosen by
looking at figures of this bank must be chosen on `--split train` and quoted on `--split test`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from quality_parts.live import Plan, as_row, difference, measure
from quality_parts.methods import METHODS, Method
from quality_parts.report import section, show, show_live, write_plot, write_section
from quality_parts.scoring import Score, score
from rich.console import Console

from steplabel.pipelines.bank import Bank, read_bank
from steplabel.pipelines.evaluation import evaluate, exact_truth
from steplabel.schemas import ConfigError, MissingExtra
from steplabel.schemas.bank import BankSplit

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "label_quality.md"


def from_bank(options: argparse.Namespace, console: Console) -> tuple[Bank, list[Score]]:
    """Score every chosen method at every budget."""
    bank = read_bank(options.bank)
    if options.split != "all":
        bank = bank.part(BankSplit(options.split))
    return bank, list(_scores(bank, _chosen(options.method), options.replications, console))


def _chosen(names: list[str]) -> list[Method]:
    known = {method.name: method for method in METHODS}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"--method {unknown[0]!r}: there are {', '.join(map(repr, known))}")
    return [known[name] for name in names] or list(METHODS)


def _scores(bank: Bank, methods: list[Method], replications: int, console: Console) -> Iterator[Score]:
    for method in methods:
        # A small bank has no room for the largest budgets: it is measured at those that fit.
        for k in (k for k in method.budgets if method.replications(k, held=bank.rollouts, most=1)):
            found = score(method, k, bank, replications=replications)
            console.print(f"{method.name}, k={k}: F1 {found.f1:.3f}, {found.seconds:.1f} s", highlight=False)
            yield found


def write(scores: list[Score], bank: Bank, document: Path, console: Console) -> None:
    """Write the table between the document's markers, and the plot beside it where it can be drawn."""
    plot = document.with_suffix(".svg")
    try:
        write_plot(scores, plot)
    except MissingExtra as error:
        console.print(f"no new plot: {error}", highlight=False)
    write_section(section(scores, bank, plot=plot.name if plot.exists() else ""), document)


def live(options: argparse.Namespace, console: Console) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run the recipes; one row each, and their paired difference."""
    with tempfile.TemporaryDirectory() as scratch:
        plan = Plan(
            problems=options.problems,
            k=options.k,
            engine=options.engine,
            folder=options.keep or Path(scratch),
        )
        folders = dict(measure(plan, console))
        rows = [as_row(method, evaluate(folder, exact_truth())) for method, folder in folders.items()]
        return rows, difference(folders)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    bank = parser.add_argument_group("from the bank")
    bank.add_argument("--bank", type=Path, help="replay this bank instead of running a model")
    bank.add_argument("--split", choices=("all", *BankSplit), default="all", help="problems of one split only")
    bank.add_argument("--method", action="append", default=[], help="only this line of the table; may be repeated")
    bank.add_argument("--replications", type=int, default=4, help="at most, of each method and budget")
    bank.add_argument("--write", action="store_true", help="write table and plot into the document")
    bank.add_argument("--document", type=Path, default=DOCUMENT, help="which document")
    runs = parser.add_argument_group("live")
    runs.add_argument("--problems", type=int, default=400, help="problems to sample; the filter keeps some")
    runs.add_argument("--k", type=int, default=8, help="rollouts for each prefix")
    runs.add_argument("--engine", default="bundled", help="as in `steplabel run`")
    runs.add_argument("--keep", type=Path, help="folder for datasets and store, kept and gone on with")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options, console = parsed(), Console(stderr=True)
    if options.bank is None:
        rows, paired = live(options, console)
        printed: dict[str, Any] = {"rows": rows, "paired": paired}
    else:
        bank, scores = from_bank(options, console)
        if options.write:
            write(scores, bank, options.document, console)
        printed = {"bank": [asdict(one) for one in scores]}
    if options.json:
        sys.stdout.write(json.dumps(printed, indent=1) + "\n")
    elif options.bank is None:
        show_live(rows, paired)
    else:
        show(scores, bank)


if __name__ == "__main__":
    main()
