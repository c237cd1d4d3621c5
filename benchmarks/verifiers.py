"""How often the verifiers decide, how often they are right, and how fast they are.

    python benchmarks/verifiers.py                        # everything, about a quarter of an hour
    python benchmarks/verifiers.py --only gsm8k --list    # one section, every failing step with its cause
    python benchmarks/verifiers.py --json > verifiers.json

Sections:

- gsm8k: worked solutions of people: steps with a decided equation, false alarms, changed results that are caught
- models: four models' solutions against the data set's word on their answers; the curve of agreement among siblings
- processbench: arithmetic, LaTeX and entailment, each and together, on steps whose first error people marked
- tasks: BIG-Bench-Mistake, first errors located
- logic: generated proofs, every step's truth known; a second solver; FoVer's rows
- entailment: Z3 on references and on models' solutions
- rates: steps and checks per CPU second, sympy's on the same claims in the same run

Verdicts repeat exactly, rates do not. Rules were written with these files at hand, so figures on them are in-sample.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.verifier_parts import (  # noqa: E402
    changed_results,
    entailment,
    latex,
    logic,
    marked_errors,
    model_solutions,
    references,
    speed,
    tasks,
    together,
)
from steplabel.verifiers import close_workers  # noqa: E402
from steplabel.verifiers.entailment.text_verifier import EntailmentVerifier  # noqa: E402
from steplabel.verifiers.tasks.multistep_arithmetic import MultistepArithmetic  # noqa: E402
from steplabel.verifiers.tasks.word_sorting import WordSorting  # noqa: E402

MODES = {"lenient": False, "strict": True}
LISTS = ("alarms", "wrong_flags", "false_alarms", "caught", "failing", "missed", "listed")
"""Fields that name single steps; told with --list."""


def gsm8k(data: Path) -> dict[str, Any]:
    """Worked solutions."""
    return {
        mode: {
            "references": references.gsm8k_references(data, strict=strict),
            "changed results": changed_results.perturbed_results(data, strict=strict),
        }
        for mode, strict in MODES.items()
    }


def models(data: Path) -> dict[str, Any]:
    """Solutions with a known outcome."""
    solutions = {mode: model_solutions.model_solutions(data, strict=strict) for mode, strict in MODES.items()}
    return {**solutions, "agreement": model_solutions.agreement_curve(data)}


def processbench(data: Path) -> dict[str, Any]:
    """Solutions whose first error is marked."""
    found: dict[str, Any] = {}
    for name in ("gsm8k.json", "math.first500.json"):
        path = data / "processbench" / name
        total = together.together(path)
        found[name] = {
            "arithmetic": marked_errors.processbench(data, strict=False, name=name),
            "latex": latex.measure_latex(latex.processbench_steps(path)),
            "together": {**asdict(total), **total.shares()},
        }
    prm800k = data / "prm800k" / "phase1_test.first53.jsonl"
    found["prm800k"] = latex.measure_latex(latex.prm800k_steps(prm800k))
    return found


def located(data: Path) -> dict[str, Any]:
    """BIG-Bench-Mistake."""
    folder = data / "bigbench_mistake"
    return {
        "multistep_arithmetic": tasks.measure(folder / "multistep_arithmetic.jsonl", MultistepArithmetic()),
        "word_sorting": tasks.measure(folder / "word_sorting.first150.jsonl", WordSorting()),
    }


def proofs(data: Path) -> dict[str, Any]:
    """Formal logic."""
    return logic.measure(problems=10_000, second=1_000, data=data)


def entailed(data: Path) -> dict[str, Any]:
    """What Z3 says of free text."""
    verifier = EntailmentVerifier()
    return {
        "references": entailment.references(data, verifier),
        "changed": entailment.perturbed(data, verifier),
        "models": entailment.models(data, verifier),
    }


def rates(data: Path) -> dict[str, Any]:
    """Speed."""
    return {"arithmetic": speed.rates(data), "z3": entailment.rates()}


SECTIONS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "gsm8k": gsm8k,
    "models": models,
    "processbench": processbench,
    "tasks": located,
    "logic": proofs,
    "entailment": entailed,
    "rates": rates,
}


def plain(value: Any, *, listing: bool) -> Any:
    """Records as what JSON knows; lists of single steps as their lengths, unless they are wanted."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        counted = () if listing else LISTS
        return {
            str(key): len(item) if key in counted and isinstance(item, (list, tuple)) else plain(item, listing=listing)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, listing=listing) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="may be repeated")
    parser.add_argument("--list", action="store_true", help="name each step that fails or is missed")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a section at a time")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"{options.data} is no folder: --data names that of the reference data")
    report = {}
    for name in options.only or SECTIONS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        report[name] = plain(SECTIONS[name](options.data), listing=options.list)
        if not options.json:
            print(f"\n{name}\n{json.dumps(report[name], indent=2, ensure_ascii=False)}", flush=True)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    close_workers()


if __name__ == "__main__":
    main()
