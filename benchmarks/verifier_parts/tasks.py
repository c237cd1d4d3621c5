"""How often the task verifiers find the first mistake that people marked in BIG-Bench-Mistake's traces.

    PYTHONPATH=. python -m benchmarks.verifier_parts.tasks --data ../shared/data [--json]

A trace is located if the first step that fails is the marked one, or nothing fails and nothing is marked. Counted
three ways, since null, "no mistake", also stands at traces whose answer is wrong, in which some step must be:

- located: traces with a marked mistake alone; the share that the data decide without doubt
- known: these, and traces with null and a right answer
- all: every trace, null read as "no mistake" wherever it stands; each difference is listed with --list

Intervals are Wilson's at 95 %. Verdicts repeat exactly; rates are steps per CPU second of one run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from steplabel.schemas import NO_ERROR, Evidence, GoldSteps, Verdict
from steplabel.schemas.layouts.bigbench_mistake import read_evidence, read_gold_steps
from steplabel.transforms.io import read_rows
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.tasks.multistep_arithmetic import MultistepArithmetic
from steplabel.verifiers.tasks.word_sorting import WordSorting

VERIFIERS: Mapping[str, tuple[Verifier[Any], ...]] = {
    "multistep_arithmetic.jsonl": (MultistepArithmetic(), MultistepArithmetic(plan=True)),
    "word_sorting.first150.jsonl": (WordSorting(),),
}
Z95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of how many traces the first mistake was located, with its interval."""

    hits: int
    traces: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One verifier over one file; `missed` holds row, marked and found index (null, -1: none)."""

    file: str
    verifier: str
    located: Share
    known: Share
    all: Share
    steps_per_second: float
    missed: tuple[tuple[int, int | None, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Located:
    """What was found in one trace, what is known of it, and what null alone says."""

    row: int
    found: int
    known: int | None
    literal: int


def share(hits: int, traces: int) -> Share:
    """A share with Wilson's interval."""
    part, spread = hits / traces, Z95 * Z95 / traces
    centre = (part + spread / 2) / (1 + spread)
    half = Z95 * sqrt(part * (1 - part) / traces + spread / (4 * traces)) / (1 + spread)
    return Share(hits=hits, traces=traces, share=part, low=max(0.0, centre - half), high=min(1.0, centre + half))


def first_failing(verifier: Verifier[Any], evidence: Evidence) -> int:
    """0-based index of the first failing step of the only solution; -1 for none."""
    (solution,) = evidence.solutions
    said = observe(verifier, evidence.problem, solution)
    failing = {one.subject for one in said if one.verdict is Verdict.FAILS}
    return next((i for i, key in enumerate(solution.node_keys) if key in failing), NO_ERROR)


def measure(file: Path, verifier: Verifier[Any]) -> Measured:
    """One verifier over one file of traces."""
    traces = list(_traces(file))
    start = time.process_time()
    found = [first_failing(verifier, evidence) for evidence, _, _ in traces]
    seconds = time.process_time() - start
    located = [
        _Located(row=i, found=found[i], known=gold.first_error, literal=literal)
        for i, (_, gold, literal) in enumerate(traces)
    ]
    marked = [one for one in located if one.literal != NO_ERROR]
    known = [one for one in located if one.known is not None]
    missed = [one for one in located if one.found != one.literal]
    return Measured(
        file=file.name,
        verifier=f"{verifier.name} v{verifier.version}",
        located=_hits(marked),
        known=_hits(known),
        all=share(len(located) - len(missed), len(located)),
        steps_per_second=sum(len(gold.steps) for _, gold, _ in traces) / seconds,
        missed=tuple((one.row, one.known, one.found) for one in missed),
    )


def _hits(located: list[_Located]) -> Share:
    return share(sum(one.found == one.known for one in located), len(located))


def _traces(file: Path) -> Iterator[tuple[Evidence, GoldSteps, int]]:
    for row in read_rows(str(file)):
        assert row.data is not None, row.error
        index = row.data["mistake_index"]
        literal = NO_ERROR if index is None else index
        yield read_evidence(row.data, line=row.where), read_gold_steps(row.data, line=row.where), literal


def main() -> None:
    """Measure every verifier and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    root = Path(__file__).resolve().parents[2].parent
    parser.add_argument("--data", type=Path, default=root / "shared" / "data", help="folder with bigbench_mistake/")
    parser.add_argument("--list", action="store_true", help="every trace that differs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = options.data / "bigbench_mistake"
    results = [measure(folder / name, verifier) for name, verifiers in VERIFIERS.items() for verifier in verifiers]
    if options.json:
        print(json.dumps([asdict(one) for one in results], indent=2))
        return
    for one in results:
        print(f"{one.verifier}: {one.steps_per_second:,.0f} steps a CPU second")
        for name in ("located", "known", "all"):
            found: Share = getattr(one, name)
            print(f"  {name:<8} {found.hits}/{found.traces} = {found.share:.1%} ({found.low:.1%} - {found.high:.1%})")
        for row, known, place in one.missed if options.list else ():
            print(f"  row {row}: marked {known}, found {place}")


if __name__ == "__main__":
    main()
