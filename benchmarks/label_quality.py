"""How good are the labels, and what do they cost? First-error F1 against exact truth, for every method.

    python benchmarks/label_quality.py --bank benchmarks/outcome_bank.parquet           # no model, a few minutes
    python benchmarks/label_quality.py --bank ... --second benchmarks/outcome_bank_second.parquet   # with consensus
    python benchmarks/label_quality.py --bank ... --write    # and into docs/label_quality.md, with the plot
    python benchmarks/label_quality.py                       # live: the bundled model, about ten minutes on two cores
    python benchmarks/label_quality.py --recipe omegaprm --recipe vsrm --problems 40 --json

From the bank (`outcome_bank.py` builds it) every method of `quality_parts/methods.py` sees the same rollouts, at
several budgets, and as many times with rollouts it has not seen as `--replications` allows. Then: the noise of labels
before and after denoising (on both splits), and consensus on location, with a second completer's bank if one is given.
Live, recipes run through the whole pipeline on other problems: two by default, whose figures and the bank's must agree
within their intervals, and any that a bank cannot replay.

`f1` is ProcessBench's (harmonic mean of exact location on erroneous and on clean solutions), against *strict* truth: a
step is wrong iff what it asserts is not true. Intervals are 95 % bootstraps over problems. Whatever was chosen by
looking at figures of this bank must be chosen on `--split train` and quoted on `--split test`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from quality_parts.agreement import AGREEMENT_NEEDS, AgreementReport, measure_agreement
from quality_parts.document import bank_section, consensus_section, live_section, noise_section
from quality_parts.found import Replays
from quality_parts.live import PAIRED, LiveReport, Plan, measure_live
from quality_parts.methods import METHODS, Method
from quality_parts.noise import NOISE_NEEDS, NoiseReport, measure_noise
from quality_parts.plot import write_plot
from quality_parts.report import show, show_agreement, show_live, show_noise
from quality_parts.scoring import Score, score
from quality_parts.sections import Section, write_section
from rich.console import Console

from steplabel.pipelines.bank import Bank, read_bank
from steplabel.pipelines.cli import guarded
from steplabel.schemas import ConfigError, MissingExtra
from steplabel.schemas.bank import BankSplit

ABOUT_BANKS: Final = ("second", "split", "method", "replications")
ABOUT_RUNS: Final = ("recipe", "problems", "k", "engine", "keep")
DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "label_quality.md"


def from_bank(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Measure everything that needs no model; print it or write it; return it for `--json`."""
    whole = read_bank(options.bank)
    bank, second = _part(whole, options.split), None
    if options.second is not None:
        second = _part(read_bank(options.second), options.split)
    chosen = _chosen(options.method)
    scores = list(_scores(Replays(bank), chosen, options.replications, console))
    printed: dict[str, Any] = {"bank": [asdict(one) for one in scores]}
    noise = agreement = None
    if not options.method:
        noise = measure_noise(whole) if _holds(whole, NOISE_NEEDS, "noise", console) else None
        agreement = measure_agreement(bank, second) if _holds(bank, AGREEMENT_NEEDS, "consensus", console) else None
        printed |= {name: asdict(one) for name, one in (("noise", noise), ("consensus", agreement)) if one is not None}
    if options.write:
        write(scores, bank, options.document, console)
        write_more(noise, agreement, options.document)
    if not options.json:
        show(scores, bank)
        show_more(noise, agreement)
    return printed


def _holds(bank: Bank, needs: int, what: str, console: Console) -> bool:
    held = bank.rollouts
    said = "measuring it" if held >= needs else f"not measured: the bank holds {held} rollouts of a prefix, not {needs}"
    console.print(f"{what}: {said}", highlight=False)
    return held >= needs


def _part(bank: Bank, split: str) -> Bank:
    return bank if split == "all" else bank.part(BankSplit(split))


def _chosen(names: Sequence[str]) -> list[Method]:
    known = {method.name: method for method in METHODS}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(f"--method {unknown[0]!r}: there are {', '.join(map(repr, known))}")
    return [known[name] for name in names] or list(METHODS)


def _scores(replays: Replays, methods: Sequence[Method], replications: int, console: Console) -> Iterator[Score]:
    for method in methods:
        # A small bank has no room for the largest budgets: it is measured at those that fit.
        for k in (k for k in method.budgets if method.replications(k, held=replays.bank.rollouts, most=1)):
            found = score(method, k, replays, replications=replications)
            f1 = "" if found.f1 is None else f"F1 {found.f1:.3f}, "
            console.print(f"{method.name}, k={k}: {f1}{found.seconds:.1f} s", highlight=False)
            yield found


def write(scores: Sequence[Score], bank: Bank, document: Path, console: Console) -> None:
    """Write the methods' section, and the plot beside the document where it can be drawn."""
    plot = document.with_suffix(".svg")
    try:
        write_plot(scores, plot)
    except MissingExtra as error:
        console.print(f"no new plot: {error}", highlight=False)
    write_section(Section.BANK, bank_section(scores, bank, plot=plot.name if plot.exists() else ""), document)


def write_more(noise: NoiseReport | None, agreement: AgreementReport | None, document: Path) -> None:
    """Write the sections of what was measured."""
    if noise is not None:
        write_section(Section.NOISE, noise_section(noise), document)
    if agreement is not None:
        write_section(Section.CONSENSUS, consensus_section(agreement), document)


def show_more(noise: NoiseReport | None, agreement: AgreementReport | None) -> None:
    """Print what was measured."""
    if noise is not None:
        show_noise(noise)
    if agreement is not None:
        show_agreement(agreement)


def live(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Run the recipes; print the table or write it; return it for `--json`."""
    with tempfile.TemporaryDirectory() as scratch:
        plan = Plan(
            recipes=tuple(options.recipe) or PAIRED,
            problems=options.problems,
            k=options.k,
            engine=options.engine,
            folder=options.keep or Path(scratch),
        )
        report: LiveReport = measure_live(plan, console)
    if options.write:
        write_section(Section.LIVE, live_section(report), options.document)
    if not options.json:
        show_live(report)
    return asdict(report)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", action="store_true", help="write what is measured into the document")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="which document")
    bank = parser.add_argument_group("from the bank")
    bank.add_argument("--bank", type=Path, help="replay this bank instead of running a model")
    bank.add_argument("--second", type=Path, help="another completer's bank of the same solutions, for consensus")
    bank.add_argument("--split", choices=("all", *BankSplit), default="all", help="problems of one split only")
    bank.add_argument("--method", action="append", default=[], help="only this line of the table; may be repeated")
    bank.add_argument("--replications", type=int, default=4, help="at most, of each method and budget")
    runs = parser.add_argument_group("live")
    runs.add_argument("--recipe", action="append", default=[], help="run this one; may be repeated")
    runs.add_argument("--problems", type=int, default=400, help="problems to sample; the filter keeps some")
    runs.add_argument("--k", type=int, default=8, help="rollouts for each prefix")
    runs.add_argument("--engine", default="bundled", help="as in `steplabel run`")
    runs.add_argument("--keep", type=Path, help="folder for datasets and store, kept and gone on with")
    options = parser.parse_args()
    _refuse(parser, options)
    return options


def _refuse(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with the command line's own error where an option would do nothing, or leave a section with part of it."""
    idle = ABOUT_BANKS if options.bank is None else ABOUT_RUNS
    given = ", ".join(f"--{name}" for name in idle if getattr(options, name) != parser.get_default(name))
    if given:
        told = "about a bank: give --bank, too" if options.bank is None else "about live runs: leave --bank out"
        parser.error(f"{given}: {told}")
    if options.second and options.method:
        parser.error("--second: consensus is measured beside all methods: leave --method out")
    if options.write and (options.method or options.split != "all"):
        parser.error("--write replaces whole sections: leave --method and --split out")


def main() -> None:
    """Measure and print."""
    options, console = parsed(), Console(stderr=True)
    printed = live(options, console) if options.bank is None else from_bank(options, console)
    if options.json:
        sys.stdout.write(json.dumps(printed, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(guarded(main))
