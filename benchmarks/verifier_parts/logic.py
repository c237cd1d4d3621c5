"""Formal logic: does the checker agree with how proofs were made, and how fast is it?

Measured on generated problems, each with its clean proof and one corrupted one:

- agreement: every step's verdict against its truth by construction; disagreements and unknowns are listed. Truth
  rests on the rules, and for wrong steps on a witness that is evaluated, not on a solver.
- earlier: corrupted proofs in which a step before the corrupted one is not found to hold.
- cvc5: the entailments of some of these problems, asked of cvc5 alone; its models are evaluated, too.
- rates: per CPU second of this process (reading and deciding together), of cvc5's and Z3's workers by wall clock.
- fover: FoVer's rows, if its file is there: steps about which anything is said, and agreement with its labels.

Verdicts repeat exactly; rates do not. Not measured: proofs that models wrote.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steplabel.schemas import StepMark, Verdict
from steplabel.schemas.layouts import fover
from steplabel.verifiers import observe
from steplabel.verifiers.logic import (
    Cvc5Prover,
    Entailment,
    LogicSolution,
    LogicVerifier,
    Prover,
    Status,
    Z3Prover,
    logic_solutions,
)

_LISTED = 10
_VERDICTS = {True: Verdict.HOLDS, False: Verdict.FAILS}
_MARKS = {StepMark.POSITIVE: Verdict.HOLDS, StepMark.NEGATIVE: Verdict.FAILS}


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of many steps."""

    steps: int = 0
    agree: int = 0
    unknown: int = 0
    earlier: int = 0
    by_tool: Counter[str] = field(default_factory=Counter)
    by_corruption: Counter[str] = field(default_factory=Counter)
    listed: list[str] = field(default_factory=list)

    def add(self, written: LogicSolution, said: Sequence[tuple[Verdict, str]]) -> None:
        """Count one solution."""
        self.by_corruption[written.corruption or "clean"] += 1
        before = said[: written.first_error] if written.corruption else ()
        self.earlier += any(verdict is not Verdict.HOLDS for verdict, _ in before)
        for step, holds, (verdict, tool) in zip(written.solution.steps, written.holds, said, strict=True):
            self.steps += 1
            self.by_tool[tool or "comparison"] += 1
            self.agree += verdict is _VERDICTS[holds]
            self.unknown += verdict is Verdict.UNKNOWN
            if verdict is not _VERDICTS[holds] and len(self.listed) < _LISTED:
                self.listed.append(f"{written.problem.id}: {step.text.strip()}: {verdict}, made as {holds}")


def agreement(problems: int, *, seed: int) -> dict[str, Any]:
    """The checker against construction, streaming."""
    verifier, tally, spent, made = LogicVerifier(), Tally(), 0.0, 0.0
    stream = iter(logic_solutions(problems, seed=seed, corrupted=1))
    while True:
        started = time.process_time()
        written = next(stream, None)
        made += time.process_time() - started
        if written is None:
            break
        started = time.process_time()
        said = _said(verifier, written)
        spent += time.process_time() - started
        tally.add(written, said)
    return {
        "problems": problems,
        "solutions": sum(tally.by_corruption.values()),
        "steps": tally.steps,
        "agree": tally.agree,
        "agreement": tally.agree / tally.steps,
        "unknown": tally.unknown,
        "corruptions_that_marked_an_earlier_step": tally.earlier,
        "decided_by": dict(tally.by_tool),
        "solutions_by_corruption": dict(tally.by_corruption),
        "steps_per_cpu_second": tally.steps / spent,
        "solutions_generated_per_cpu_second": sum(tally.by_corruption.values()) / made,
        "disagreements": tally.listed,
    }


def _said(verifier: LogicVerifier, written: LogicSolution) -> list[tuple[Verdict, str]]:
    found = {o.subject: (o.verdict, o.tool_version) for o in observe(verifier, written.problem, written.solution)}
    return [found.get(key, (Verdict.UNKNOWN, "unread")) for key in written.solution.node_keys]


def second_opinion(problems: int, *, seed: int) -> dict[str, Any]:
    """cvc5 and Z3, each alone, on the same entailments."""
    asked = list(_entailments(logic_solutions(problems, seed=seed, corrupted=1)))
    provers: dict[str, Prover] = {"cvc5": Cvc5Prover(), "z3": Z3Prover()}
    return {"problems": problems, **{name: _opinion(prover, asked) for name, prover in provers.items()}}


def _opinion(prover: Prover, asked: Sequence[tuple[Entailment, bool]]) -> dict[str, Any]:
    prover.prove_all([question for question, _ in asked[:1]])  # its worker starts outside the clock
    started = time.perf_counter()
    answers = prover.prove_all([question for question, _ in asked])
    seconds = time.perf_counter() - started
    wanted = [Status.PROVED if holds else Status.REFUTED for _, holds in asked]
    agree = sum(answer.status is status for answer, status in zip(answers, wanted, strict=True))
    unknown = sum(answer.status is Status.UNKNOWN for answer in answers)
    return {"checks": len(asked), "agree": agree, "unknown": unknown, "checks_per_second": len(asked) / seconds}


def _entailments(solutions: Iterable[LogicSolution]) -> Iterator[tuple[Entailment, bool]]:
    verifier = LogicVerifier()
    for written in solutions:
        truth = dict(zip(written.solution.node_keys, written.holds, strict=True))
        for claim in verifier.claims(written.problem, written.solution):
            if isinstance(claim.body, Entailment):
                yield claim.body, truth[claim.subject]


def fover_rows(path: Path) -> dict[str, Any]:
    """The checker against FoVer's own labels."""
    verifier, counts = LogicVerifier(), Counter[str]()
    for number, line in enumerate(path.read_text("utf-8").splitlines()):
        marked = fover.read_marked(json.loads(line), line=f"{path.name}:{number + 1}")
        counts[f"rows of {marked.base_dataset}"] += 1
        evidence = fover.evidence_of(marked)
        solution = evidence.solutions[0]
        said = {o.subject: o.verdict for o in observe(verifier, evidence.problem, solution)}
        for key, mark in zip(solution.node_keys, marked.marks, strict=True):
            verdict = said.get(key)
            counts["steps"] += 1
            counts["steps with a verdict"] += verdict in (Verdict.HOLDS, Verdict.FAILS)
            counts["agree with the label"] += verdict is not None and verdict is _MARKS.get(mark)
    return dict(counts)


def measure(*, problems: int, second: int, data: Path, seed: int = 0) -> dict[str, Any]:
    """All of the above; `fover` is left out where its file is absent."""
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "agreement": lambda: agreement(problems, seed=seed),
        "second_opinion": lambda: second_opinion(second, seed=seed),
    }
    path = data / "fover" / "test.jsonl"
    if path.is_file():
        parts["fover"] = lambda: fover_rows(path)
    return {name: part() for name, part in parts.items()}
