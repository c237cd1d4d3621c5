"""What the verifier of LaTeX decides on steps that people have marked: ProcessBench and PRM800K.

Right steps are those before the first marked error; steps behind it count for nothing, since they may be right given
what stands before. A false alarm is a right step that fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steplabel.schemas import Verdict
from steplabel.schemas.layouts.processbench import read_gold_steps
from steplabel.verifiers.latex.claims import Quoted, claims_in, learn
from steplabel.verifiers.latex.equations import KnownEquations
from steplabel.verifiers.latex.verifier import LatexVerifier
from steplabel.verifiers.port import Claim, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedStep:
    """One step and whether people call it right; a wrong one is the first wrong of its solution.

    Attributes:
        before: the problem and the steps so far.
    """

    id: str
    before: tuple[str, ...]
    text: str
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A step that fails: which, what it says, and why."""

    step: str
    quote: str
    evidence: str


@dataclass(slots=True, kw_only=True)
class LatexReport:
    """Counts over steps. `covered`: right steps with at least one claim that holds or fails."""

    right_steps: int = 0
    covered: int = 0
    holding: int = 0
    first_errors: int = 0
    claims: int = 0
    false_alarms: list[Failure] = field(default_factory=list)
    caught: list[Failure] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def coverage(self) -> float:
        """Share of right steps with a decided claim."""
        return self.covered / max(1, self.right_steps)

    @property
    def false_alarm_rate(self) -> float:
        """Share of right steps that fail."""
        return len(self.false_alarms) / max(1, self.right_steps)

    @property
    def recall(self) -> float:
        """Share of first errors that fail."""
        return len(self.caught) / max(1, self.first_errors)

    @property
    def precision(self) -> float:
        """Share of failing steps, up to and with the first error, that are that error."""
        return len(self.caught) / max(1, len(self.caught) + len(self.false_alarms))


def processbench_steps(path: Path) -> Iterator[MarkedStep]:
    """Steps of ProcessBench up to and with the first error."""
    for index, row in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        gold = read_gold_steps(row, line=str(index))
        if gold.first_error is None:
            continue
        last = len(gold.steps) if gold.first_error < 0 else gold.first_error + 1
        for number, text in enumerate(gold.steps[:last]):
            before = (gold.problem, *gold.steps[:number])
            yield MarkedStep(id=f"{gold.id}/{number}", before=before, text=text, right=number != gold.first_error)


def prm800k_steps(path: Path) -> Iterator[MarkedStep]:
    """Completions of PRM800K that people rated 1 (right) or -1 (wrong), up to the first position that holds a -1."""
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(text)
        before: tuple[str, ...] = (row["question"]["problem"],)
        for number, step in enumerate(row["label"]["steps"]):
            completions = step["completions"] or []
            yield from _rated(completions, before, f"{line}/{number}")
            if any(completion["rating"] == -1 for completion in completions):
                break
            before += tuple(completion["text"] for completion in completions[:1])


def _rated(completions: Iterable[dict[str, Any]], before: tuple[str, ...], where: str) -> Iterator[MarkedStep]:
    for index, completion in enumerate(completions):
        rating = completion["rating"]
        if rating in (1, -1):
            yield MarkedStep(id=f"{where}.{index}", before=before, text=completion["text"], right=rating == 1)


def measure_latex(steps: Iterable[MarkedStep], *, strict: bool = False) -> LatexReport:
    """Decide all claims of marked steps and count."""
    report, verifier = LatexReport(), LatexVerifier(strict=strict)
    for step in steps:
        known = KnownEquations()
        for text in step.before:
            learn(text, known)
        found = [(quoted, _verified(verifier, step, quoted)) for quoted in claims_in(step.text, known)]
        _count(report, step, found)
    return report


def _verified(verifier: LatexVerifier, step: MarkedStep, quoted: Quoted) -> Finding:
    return verifier.verify(Claim(subject=step.id, body=quoted.claim, quote=quoted.quote))


def _count(report: LatexReport, step: MarkedStep, found: list[tuple[Quoted, Finding]]) -> None:
    report.claims += len(found)
    report.right_steps += step.right
    report.first_errors += not step.right
    for _, finding in found:
        report.reasons[finding.reason] = report.reasons.get(finding.reason, 0) + 1
    verdicts = {finding.verdict for _, finding in found}
    report.covered += step.right and bool(verdicts & {Verdict.HOLDS, Verdict.FAILS})
    report.holding += step.right and Verdict.HOLDS in verdicts and Verdict.FAILS not in verdicts
    failing = [(quoted, finding) for quoted, finding in found if finding.verdict is Verdict.FAILS]
    for quoted, finding in failing[:1]:
        failure = Failure(step=step.id, quote=quoted.quote, evidence=finding.evidence)
        (report.false_alarms if step.right else report.caught).append(failure)
