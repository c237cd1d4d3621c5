"""Z3 entailment: how fast, and how often right, on GSM8K's reference solutions, models' solutions and ProcessBench.

    python benchmarks/verifier_parts/entailment.py --data DATA

Rates are per CPU second of one process, in which Z3 runs as it does in a worker; contexts, reading and processes apart.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import sympy

from steplabel.schemas import Problem, Solution, Step, Verdict, make_solution
from steplabel.verifiers import Claim, close_workers
from steplabel.verifiers.entailment import Assumption, Declared, Entailment, EntailmentVerifier
from steplabel.verifiers.entailment.findings import Posed
from steplabel.verifiers.entailment.lane import Lane
from steplabel.verifiers.entailment.procedure import alone, decide
from steplabel.verifiers.entailment.wire import question_to_message
from steplabel.verifiers.entailment.z3_task import check
from steplabel.verifiers.expressions.ast import Apply, Comparison, Name, Number, Operator, Relation, Term, parts

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
RLIMIT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Per CPU second. `checks` are Z3's own; `questions` take one (arithmetic) or three (a step from an equation)."""

    arithmetic_checks: float
    step_checks: float
    step_questions: float
    messages_to_answers: float
    fresh_context_questions: float
    sympy_steps: float


def step_questions(count: int) -> list[Entailment]:
    """`ax + b = c` gives `x = (c - b) / a`: what most written derivations look like."""
    draw = random.Random(0)  # noqa: S311 - a sample, not a secret
    return [_step(*(draw.randrange(2, 60) for _ in range(3))) for _ in range(count)]


def _step(a: int, b: int, c: int) -> Entailment:
    x = Name("x")
    given = Comparison(
        Relation.EQUAL, Apply(Operator.ADD, (Apply(Operator.MULTIPLY, (_number(a), x)), _number(b))), _number(c)
    )
    return Entailment(
        declarations=(Declared(name="x"),),
        assumptions=(Assumption(label="given", formula=given),),
        claim=Comparison(Relation.EQUAL, x, Number(Fraction(c - b, a))),
    )


def arithmetic_questions(count: int) -> list[Entailment]:
    """`a * b + c = d`, true: one check each."""
    draw = random.Random(1)  # noqa: S311 - a sample, not a secret
    drawn = ([draw.randrange(2, 60) for _ in range(3)] for _ in range(count))
    return [Entailment(declarations=(), assumptions=(), claim=_sum(*one)) for one in drawn]


def _sum(a: int, b: int, c: int) -> Comparison:
    left = Apply(Operator.ADD, (Apply(Operator.MULTIPLY, (_number(a), _number(b))), _number(c)))
    return Comparison(Relation.EQUAL, left, _number(a * b + c))


def _number(value: int) -> Number:
    return Number(Fraction(value))


def rates(count: int = 300) -> Rates:
    """All rates in one run, each the best of five: noise only ever slows."""
    steps, sums = step_questions(count), arithmetic_questions(count)
    messages = [question_to_message(question) for question in steps]
    equations = [_for_sympy(question) for question in steps]
    return Rates(
        arithmetic_checks=_rate(lambda: _checks(sums)),
        step_checks=_rate(lambda: _checks(steps)),
        step_questions=_rate(lambda: _checks(steps) and count),
        messages_to_answers=_rate(lambda: len(check({"questions": messages, "rlimit": RLIMIT})["answers"])),
        fresh_context_questions=_rate(lambda: len([alone(question, rlimit=RLIMIT) for question in steps[:50]])),
        sympy_steps=_rate(lambda: sum(sympy.solve(left, x) == [root] for left, x, root in equations[:50])),
    )


def _for_sympy(question: Entailment) -> tuple[sympy.Expr, sympy.Symbol, sympy.Rational]:
    """The equation's difference, its letter and the claimed root; built once, outside the clock."""
    (given,), claim, x = question.assumptions, question.claim, sympy.Symbol("x")
    if not (isinstance(given.formula, Comparison) and isinstance(claim, Comparison)):
        raise TypeError("these questions are comparisons")
    numbers = [part.value for part in parts(given.formula.left) if isinstance(part, Number)]
    a, b = (sympy.Rational(value.numerator, value.denominator) for value in numbers)
    c, root = (
        sympy.Rational(side.value.numerator, side.value.denominator)
        for side in (given.formula.right, claim.right)
        if isinstance(side, Number)
    )
    return a * x + b - c, x, root


def _checks(questions: Sequence[Entailment]) -> int:
    lane = Lane(rlimit=RLIMIT)
    for question in questions:
        decide(question, lane, models=False)
    return lane.checks


def _rate(work: Callable[[], int]) -> float:
    work()
    best = 0.0
    for _ in range(5):
        start = time.process_time()
        done = work()
        best = max(best, done / (time.process_time() - start))
    return round(best)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of a set of solutions. Steps count once; `failing` quotes each step that fails."""

    steps: int = 0
    claims: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    failing: list[str] = field(default_factory=list)

    def add(self, claims: Sequence[tuple[str, Claim[Posed]]], verifier: EntailmentVerifier) -> None:
        """Decide claims, each with words for its place."""
        findings = verifier.verify_all([claim for _, claim in claims])
        self.claims += len(claims)
        found = Counter(f"{f.verdict} {f.reason.split(':')[0]}" for f in findings)
        self.verdicts = dict(Counter(self.verdicts) + found)
        failed = {c.subject: f"{place}: {c.quote}" for (place, c), f in zip(claims, findings, strict=True) if _fails(f)}
        self.failing += failed.values()


def _fails(finding: object) -> bool:
    return getattr(finding, "verdict", None) is Verdict.FAILS


def references(data: Path, verifier: EntailmentVerifier) -> Tally:
    """GSM8K's own solutions: what fails there is an error of the data or of ours."""
    tally = Tally()
    claims: list[tuple[str, Claim[Posed]]] = []
    for number, (problem, solution) in enumerate(_reference_solutions(data)):
        tally.steps += len(solution.steps)
        claims += [(f"row {number}", claim) for claim in verifier.claims(problem, solution)]
    tally.add(claims, verifier)
    return tally


def perturbed(data: Path, verifier: EntailmentVerifier) -> Tally:
    """The claims that hold there, each with one number changed: how many are seen."""
    held: list[Claim[Posed]] = []
    for problem, solution in _reference_solutions(data):
        held += verifier.claims(problem, solution)
    findings = verifier.verify_all(held)
    draw = random.Random(0)  # noqa: S311 - a sample, not a secret
    changed = [
        ("", _changed(claim, draw))
        for claim, finding in zip(held, findings, strict=True)
        if finding.verdict is Verdict.HOLDS and claim.body.question.assumptions and _numbers(claim)
    ]
    tally = Tally(steps=len(changed))
    tally.add(changed, verifier)
    return tally


def _numbers(claim: Claim[Posed]) -> list[Number]:
    asserted = claim.body.question.claim
    if not isinstance(asserted, Comparison):
        return []
    return [part for side in (asserted.left, asserted.right) for part in parts(side) if isinstance(part, Number)]


def _changed(claim: Claim[Posed], draw: random.Random) -> Claim[Posed]:
    old = draw.choice(_numbers(claim))
    new = Number(old.value + draw.choice((1, 2, 5, 10)), old.decimals)
    asserted = claim.body.question.claim
    if not isinstance(asserted, Comparison):
        raise TypeError("claims of texts are comparisons")
    other = Comparison(asserted.relation, _replaced(asserted.left, old, new), _replaced(asserted.right, old, new))
    return replace(claim, body=replace(claim.body, question=replace(claim.body.question, claim=other)))


def _replaced(term: Term, old: Number, new: Number) -> Term:
    if term is old:
        return new
    if isinstance(term, Apply):
        return Apply(term.operator, tuple(_replaced(part, old, new) for part in term.terms))
    return term


def _reference_solutions(data: Path) -> Iterator[tuple[Problem, Solution]]:
    for number, row in enumerate(_rows(data / "gsm8k" / "train.jsonl")):
        yield _solved(str(number), row["question"], row["answer"].split("\n####")[0].split("\n"))


def models(data: Path, verifier: EntailmentVerifier) -> dict[str, Tally]:
    """Solutions of four models, apart by whether their answer is right: what fails in a right one is suspicious."""
    tallies = {"right": Tally(), "wrong": Tally()}
    for number, row in enumerate(_rows(data / "gsm8k" / "example_model_solutions.first660.jsonl")):
        for model in MODELS:
            problem, solution = _solved(str(number), row["question"], row[model]["solution"].split("\n"))
            tally = tallies["right" if row[model]["is_correct"] else "wrong"]
            tally.steps += len(solution.steps)
            tally.add([(f"row {number} {model}", claim) for claim in verifier.claims(problem, solution)], verifier)
    return tallies


def marked(path: Path, verifier: EntailmentVerifier) -> dict[str, Tally]:
    """ProcessBench: steps before the first marked error are right; the marked step; what stands behind is left out."""
    tallies = {"right": Tally(), "first error": Tally()}
    for row in json.loads(path.read_text(encoding="utf-8")):
        problem, solution = _solved(row["id"], row["problem"], row["steps"])
        end = len(solution.steps) if row["label"] < 0 else row["label"]
        places = {"right": solution.node_keys[:end], "first error": solution.node_keys[end : end + 1]}
        claims = list(verifier.claims(problem, solution))
        for name, keys in places.items():
            tallies[name].steps += len(keys)
            tallies[name].add([(row["id"], claim) for claim in claims if claim.subject in keys], verifier)
    return tallies


def _rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _solved(name: str, text: str, steps: Sequence[str]) -> tuple[Problem, Solution]:
    problem = Problem(id=name, text=text)
    return problem, make_solution(problem, tuple(Step(text=f"{step}\n") for step in steps if step.strip()))


def main() -> int:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the reference data; without it, rates alone")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    figures: dict[str, object] = {"rates": asdict(rates())}
    if options.data:
        verifier = EntailmentVerifier()
        figures["gsm8k references"] = asdict(references(options.data, verifier))
        figures["gsm8k references, a number changed"] = asdict(perturbed(options.data, verifier))
        for name, tally in models(options.data, verifier).items():
            figures[f"gsm8k models, {name}"] = asdict(tally)
        for file in ("gsm8k.json", "math.first500.json"):
            for name, tally in marked(options.data / "processbench" / file, verifier).items():
                figures[f"processbench {file}, {name}"] = asdict(tally)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")
    close_workers()
    return 0


if __name__ == "__main__":
    sys.exit(main())
