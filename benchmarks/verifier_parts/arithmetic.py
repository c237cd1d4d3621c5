"""The arithmetic verifier and the agreement of step results, measured on real solutions.

Every function takes the folder of the reference data and returns plain records. What is counted:

- `gsm8k_references`: worked solutions, whose steps are right but for the rows in `gsm8k_errors.json`: how many steps
  have a decided equation, and each step that fails, with its cause.
- `perturbed_results`: in each of those steps one number behind an equals sign is changed (by one, to ten times, in one
  digit, to any other of its length; seed fixed). It is found by a pattern that knows nothing of our reader, algebra
  included. Caught: the step then fails.
- `processbench`: solutions whose first wrong step people marked.
- `model_solutions`, `agreement_curve`: solutions of real models against the data set's word on their final answers.
- `rates`: steps per CPU second, and sympy's `parse_expr` on the same equations, already cut out and printed by us (it
  never sees a raw text, because it runs code).
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sympy import simplify
from sympy.parsing.sympy_parser import parse_expr

from steplabel.schemas import Evidence, Outcome, Problem, Verdict
from steplabel.schemas.layouts.gsm8k_solutions import read_model_solutions
from steplabel.schemas.segmentation import spanned
from steplabel.schemas.solution import Solution, make_solution
from steplabel.verifiers.arithmetic import ArithmeticVerifier, Equation, read_equations
from steplabel.verifiers.arithmetic.judging import judge
from steplabel.verifiers.arithmetic.runs import Postfix
from steplabel.verifiers.port import Finding
from steplabel.verifiers.step_agreement import StepAgreement

ERRORS: Final = Path(__file__).with_name("gsm8k_errors.json")
FALSE_ALARM: Final = "false alarm"
MARK: Final = re.compile(r"<<[^<>]*>>")
RESULT: Final = re.compile(r"=\s*\$?\s*(\d+(?:,\d{3})*(?:\.\d+)?)")
_NOBODY: Final = Problem(id="p", text="-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A step that fails: where it is, what it says, and why, as far as people have read it."""

    row: int
    step: int
    cause: str
    equation: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Steps of right solutions. Shares are of all steps; `false_alarms` leaves the data set's own errors out."""

    strict: bool
    steps: int
    decided: float
    failing: int
    false_alarms: float
    reasons: dict[str, int]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbed:
    """Changed results. `caught` is the share of all changed steps, `caught_of_read` of those that held before."""

    strict: bool
    steps: int
    caught: float
    caught_of_read: float
    by_change: dict[str, float]
    still_hold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Against first errors that people marked.

    Attributes:
        right_steps: steps before the first error.
        decided: share of these with a decided equation; `false_alarms`: share that fails.
        found: share of first errors whose own step fails.
        precision: share of first failing steps that are at or after the first error.
        wrong_flags: those that are not.
    """

    strict: bool
    solutions: int
    right_steps: int
    decided: float
    false_alarms: float
    errors: int
    found: float
    flagged: int
    precision: float
    wrong_flags: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solutions:
    """ "Some step fails" against the data set's word on the final answer."""

    strict: bool
    solutions: int
    steps: int
    decided: float
    wrong: int
    flagged: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Solutions whose share of results that no other solution has lies in (low, high]."""

    low: float
    high: float
    solutions: int
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Per CPU second of this process."""

    steps: int
    equations: int
    arithmetic_steps: float
    arithmetic_steps_with_records: float
    sympy_steps: float
    times_sympy: float
    sympy_equations: float


def gsm8k_references(data: Path, *, strict: bool) -> References:
    """Coverage and false alarms on GSM8K's training solutions."""
    verifier = ArithmeticVerifier(strict=strict)
    known = {(row, step): cause for row, step, cause in json.loads(ERRORS.read_text(encoding="utf-8"))}
    steps = decided = 0
    reasons: Counter[str] = Counter()
    alarms: list[Alarm] = []
    for row, step, text in reference_steps(data):
        findings = _findings(verifier, text)
        steps += 1
        decided += _is_decided(findings)
        reasons.update(finding.reason for _, finding in findings)
        if alarm := _alarm(row, step, findings, known.get((row, step), FALSE_ALARM)):
            alarms.append(alarm)
    return References(
        strict=strict,
        steps=steps,
        decided=decided / steps,
        failing=len(alarms),
        false_alarms=sum(alarm.cause == FALSE_ALARM for alarm in alarms) / steps,
        reasons=dict(reasons.most_common()),
        alarms=tuple(alarms),
    )


def reference_steps(data: Path) -> Iterator[tuple[int, int, str]]:
    """Row, step and text of each worked line, without the line of the answer."""
    for row, line in enumerate((data / "gsm8k" / "train.jsonl").read_text(encoding="utf-8").splitlines()):
        for step, text in enumerate(json.loads(line)["answer"].split("\n")[:-1]):
            if text.strip():
                yield row, step, text


def perturbed_results(data: Path, *, strict: bool, seed: int = 5) -> Perturbed:
    """Change one result in each reference step."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    verifier = ArithmeticVerifier(strict=strict)
    steps, caught = Counter[str](), Counter[str]()
    read = caught_of_read = still = 0
    for _, _, text in reference_steps(data):
        plain = MARK.sub("", text)
        places = list(RESULT.finditer(plain))
        if not places:
            continue
        place, change = chance.choice(places), chance.choice(CHANGES)
        changed = plain[: place.start(1)] + _other(place[1], change, chance) + plain[place.end(1) :]
        after = _findings(verifier, changed)
        fails = any(finding.verdict is Verdict.FAILS for _, finding in after)
        held = any(finding.verdict is Verdict.HOLDS for _, finding in _findings(verifier, plain))
        steps[change] += 1
        caught[change] += fails
        read += held
        caught_of_read += held and fails
        still += bool(after) and all(finding.verdict is Verdict.HOLDS for _, finding in after)
    return Perturbed(
        strict=strict,
        steps=steps.total(),
        caught=caught.total() / steps.total(),
        caught_of_read=caught_of_read / read,
        by_change={change: caught[change] / steps[change] for change in CHANGES},
        still_hold=still,
    )


def _other(number: str, change: str, chance: random.Random) -> str:
    whole, _, part = number.replace(",", "").partition(".")
    value = int(whole + part)
    changed = _CHANGED[change](value, chance)
    while changed == value:
        changed = _any_other(value, chance)
    digits = str(changed).zfill(len(part) + 1)
    return f"{digits[: -len(part)]}.{digits[-len(part) :]}" if part else digits


def _by_one(value: int, chance: random.Random) -> int:
    return value + chance.choice((1, -1)) if value else 1


def _ten_times(value: int, chance: random.Random) -> int:  # noqa: ARG001 - one signature for all
    return value * 10


def _one_digit(value: int, chance: random.Random) -> int:
    digits = list(str(value))
    digits[chance.randrange(len(digits))] = chance.choice("123456789")
    return int("".join(digits))


def _any_other(value: int, chance: random.Random) -> int:
    return chance.randrange(1, 10 ** len(str(value)) + 1)


_CHANGED: Final[dict[str, Callable[[int, random.Random], int]]] = {
    "by one": _by_one,
    "ten times": _ten_times,
    "one digit": _one_digit,
    "any other": _any_other,
}
CHANGES: Final = tuple(_CHANGED)


def processbench(data: Path, *, strict: bool, name: str = "gsm8k.json") -> Located:
    """ProcessBench's steps against its marks."""
    verifier = ArithmeticVerifier(strict=strict)
    rows = json.loads((data / "processbench" / name).read_text(encoding="utf-8"))
    right = decided = false = errors = found = 0
    flags: list[tuple[bool, Alarm]] = []
    for number, row in enumerate(rows):
        mark = row["label"]
        findings = [_findings(verifier, text) for text in row["steps"]]
        failing = [_fails(each) for each in findings]
        before = findings if mark < 0 else findings[:mark]
        right += len(before)
        decided += sum(map(_is_decided, before))
        false += sum(failing[: len(before)])
        errors += mark >= 0
        found += mark >= 0 and failing[mark]
        if any(failing):
            first = failing.index(True)
            alarm = _alarm(number, first, findings[first], FALSE_ALARM)
            assert alarm is not None
            flags.append((first >= len(before), alarm))
    return Located(
        strict=strict,
        solutions=len(rows),
        right_steps=right,
        decided=decided / right,
        false_alarms=false / right,
        errors=errors,
        found=found / errors,
        flagged=len(flags),
        precision=sum(good for good, _ in flags) / max(1, len(flags)),
        wrong_flags=tuple(alarm for good, alarm in flags if not good),
    )


def model_solutions(data: Path, *, strict: bool) -> Solutions:
    """Whether some step fails, against whether the final answer is right."""
    verifier = ArithmeticVerifier(strict=strict)
    graded = [(solution, right) for evidence in example_solutions(data) for solution, right in _graded(evidence)]
    steps = decided = flagged = hits = 0
    for solution, right in graded:
        findings = [_findings(verifier, step.text) for step in solution.steps]
        steps += len(findings)
        decided += sum(map(_is_decided, findings))
        fails = any(map(_fails, findings))
        flagged += fails
        hits += fails and not right
    wrong = sum(not right for _, right in graded)
    return Solutions(
        strict=strict,
        solutions=len(graded),
        steps=steps,
        decided=decided / steps,
        wrong=wrong,
        flagged=flagged,
        precision=hits / max(1, flagged),
        recall=hits / wrong,
    )


def example_solutions(data: Path) -> Iterator[Evidence]:
    """Four models' solutions of each problem, with the data set's word on them."""
    path = data / "gsm8k" / "example_model_solutions.first660.jsonl"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        yield read_model_solutions(json.loads(line), line=f"{path.name}:{number}")


def _graded(evidence: Evidence) -> Iterator[tuple[Solution, bool]]:
    right = {outcome.subject: outcome.outcome is Outcome.CORRECT for outcome in evidence.outcomes}
    return ((solution, right[solution.id]) for solution in evidence.solutions)


def agreement_curve(data: Path, *, edges: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)) -> tuple[Bucket, ...]:
    """How often a solution is right, by the share of its results that no other solution has."""
    shares: list[tuple[float, bool]] = []
    for evidence in example_solutions(data):
        said = {o.subject: o.score for o in StepAgreement().compare(evidence.problem, evidence.solutions)}
        for solution, right in _graded(evidence):
            share = said.get(solution.id)
            if share is not None:
                shares.append((share, right))
    lows = (-1.0, *edges[:-1])
    return tuple(_bucket(shares, low, high) for low, high in zip(lows, edges, strict=True))


def _bucket(shares: Sequence[tuple[float, bool]], low: float, high: float) -> Bucket:
    inside = [right for share, right in shares if low < share <= high]
    return Bucket(low=max(low, 0.0), high=high, solutions=len(inside), right=sum(inside) / max(1, len(inside)))


def rates(data: Path, *, steps: int = 4_000, sympy_equations: int = 1_000) -> Rates:
    """Steps per CPU second on raw text, and sympy's on what we cut out of the same steps."""
    verifier = ArithmeticVerifier()
    texts = [text for _, _, text in reference_steps(data)][:steps]
    solutions = [_solution(text) for text in texts]
    _decide(verifier, solutions[: len(solutions) // 4])  # caches of literals fill as they do in a run
    spent = _cpu(lambda: _read_and_judge(texts))
    spent_whole = _cpu(lambda: _decide(verifier, solutions))
    claims = [[_python(claim.body) for claim in verifier.claims(_NOBODY, solution)] for solution in solutions]
    printed = [equation for equations in claims for equation in equations if equation]
    chosen = printed[:sympy_equations]
    sympy_spent = _cpu(lambda: [_by_sympy(left, right) for left, right in chosen])
    per_equation = sympy_spent / len(chosen)
    return Rates(
        steps=len(texts),
        equations=len(printed),
        arithmetic_steps=len(texts) / spent,
        arithmetic_steps_with_records=len(texts) / spent_whole,
        sympy_steps=len(texts) / (per_equation * len(printed)),
        times_sympy=per_equation * len(printed) / spent_whole,
        sympy_equations=1 / per_equation,
    )


def _findings(verifier: ArithmeticVerifier, text: str) -> list[tuple[str, Finding]]:
    """What the verifier says of a text, as a solution of one step."""
    claims = verifier.claims(_NOBODY, _solution(text)) if text.strip() else ()
    return [(claim.quote, verifier.verify(claim)) for claim in claims]


def _solution(text: str) -> Solution:
    return make_solution(_NOBODY, spanned([text]))


def _decide(verifier: ArithmeticVerifier, solutions: Sequence[Solution]) -> None:
    for solution in solutions:
        for claim in verifier.claims(_NOBODY, solution):
            verifier.verify(claim)


def _read_and_judge(texts: Sequence[str]) -> None:
    for text in texts:
        for equation in read_equations(text):
            judge(equation, strict=False)


def _is_decided(findings: Sequence[tuple[str, Finding]]) -> bool:
    return any(finding.verdict is not Verdict.UNKNOWN for _, finding in findings)


def _fails(findings: Sequence[tuple[str, Finding]]) -> bool:
    return any(finding.verdict is Verdict.FAILS for _, finding in findings)


def _alarm(row: int, step: int, findings: Sequence[tuple[str, Finding]], cause: str) -> Alarm | None:
    for quote, finding in findings:
        if finding.verdict is Verdict.FAILS:
            return Alarm(row=row, step=step, cause=cause, equation=quote, evidence=finding.evidence)
    return None


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _python(equation: Equation) -> tuple[str, str] | None:
    """Both sides as an infix text made of our own numbers and operators; None where nothing was read."""
    if equation.obstacle:
        return None
    return _infix(equation.left.readings[0]), _infix(equation.right.readings[0])


def _infix(postfix: Postfix) -> str:
    stack: list[str] = []
    for item in postfix:
        if not isinstance(item, str):
            stack.append(f"Rational({item.numerator},{item.denominator})" if item.denominator > 1 else str(item))
        elif item == "neg":
            stack[-1] = f"(-{stack[-1]})"
        elif item == "%":
            stack[-1] = f"({stack[-1]}/100)"
        else:
            right = stack.pop()
            stack[-1] = f"({stack[-1]}{'**' if item == '^' else item}{right})"
    return stack[0]


def _by_sympy(left: str, right: str) -> bool:
    return bool(simplify(parse_expr(left) - parse_expr(right)) == 0)
