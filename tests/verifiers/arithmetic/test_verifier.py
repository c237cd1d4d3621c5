"""The verifier behind its port: claims of a solution's steps, findings, observations."""

from __future__ import annotations

import pickle

import pytest

from steplabel.schemas import Problem, Solution, Step, StepKind, Verdict
from steplabel.schemas.solution import make_solution
from steplabel.verifiers.arithmetic import ArithmeticVerifier
from steplabel.verifiers.port import Verifier, observe

PROBLEM = Problem(id="p", text="Natalia sold clips. How many?")


def solution(*texts: str, kind: StepKind = StepKind.TEXT) -> Solution:
    return make_solution(PROBLEM, tuple(Step(text=text, kind=kind) for text in texts))


def test_meets_the_port() -> None:
    """It is a verifier for any domain, and can be sent to a worker."""
    verifier = ArithmeticVerifier()
    assert isinstance(verifier, Verifier)
    assert verifier.domains == frozenset()
    assert pickle.loads(pickle.dumps(verifier)) == verifier


def test_version_says_the_mode() -> None:
    """Lenient and strict findings are told apart."""
    assert ArithmeticVerifier().version != ArithmeticVerifier(strict=True).version


def test_claims_follow_the_steps() -> None:
    """One claim an equation, under its step's node, in order."""
    written = solution("48/2 = 24 clips.\n", "No equation.\n", "48+24 = 72, and 72*2 = 144.")
    claims = list(ArithmeticVerifier().claims(PROBLEM, written))
    assert [claim.subject for claim in claims] == [written.node_keys[i] for i in (0, 2, 2)]
    assert [claim.quote for claim in claims] == ["48/2 = 24 clips", "48+24 = 72", "72*2 = 144"]


def test_equal_equations_are_equal_questions() -> None:
    """Bodies of claims are values: hashable, and equal for equal texts."""
    first, second = ArithmeticVerifier().claims(PROBLEM, solution("5 + 3 = 8\n", "So 5 + 3 = 8."))
    assert first.body == second.body
    assert hash(first.body) == hash(second.body)


def test_observations() -> None:
    """A step that miscalculates fails, one that does not holds, one that says nothing gets no observation."""
    written = solution("5 + 3 = 8\n", "5 + 3 = 9\n", "Nothing.\n", "5 + 3 = 8, so 8 * 2 = 20")
    said = {o.subject: o for o in observe(ArithmeticVerifier(), PROBLEM, written)}
    assert [said[key].verdict if key in said else None for key in written.node_keys] == [
        Verdict.HOLDS,
        Verdict.FAILS,
        None,
        Verdict.FAILS,
    ]
    assert "left 8, right 9" in said[written.node_keys[1]].evidence
    assert {o.source for o in said.values()} == {"arithmetic"}


def test_only_labelable_steps() -> None:
    """What a tool printed is not the policy's claim."""
    assert not list(ArithmeticVerifier().claims(PROBLEM, solution("5 + 3 = 9", kind=StepKind.OBSERVATION)))


def test_modes() -> None:
    """A near miss is unknown unless the verifier is strict."""
    (claim,) = ArithmeticVerifier().claims(PROBLEM, solution("36 + 34 + 38 = 107"))
    assert ArithmeticVerifier().verify(claim).verdict is Verdict.UNKNOWN
    assert ArithmeticVerifier(strict=True).verify(claim).verdict is Verdict.FAILS


@pytest.mark.parametrize(
    "text",
    [
        "Let a * b = a^2 + b. What is 2 * 3?",
        r"Define $x \star y = 2x + y$ .",
        "A new operation is given.",
        "What is 7 + 5 in base 8?",
    ],
)
def test_another_number_system_in_the_problem(text: str) -> None:
    """Where the problem changes what signs mean, nothing fails."""
    problem = Problem(id="p", text=text)
    written = make_solution(problem, (Step(text="2 * 3 = 7"),))
    (claim,) = ArithmeticVerifier().claims(problem, written)
    assert ArithmeticVerifier(strict=True).verify(claim).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("step", ["7+5=12", "7+5=14", "So 12 - 5 = 7."])
def test_no_sum_is_sure_in_another_base(step: str) -> None:
    """Where a base is spoken of, neither a sum that is true in decimal numbers nor one that is not is decided."""
    assert verdicts_after("What is 7 + 5 in base 8?", step) == [Verdict.UNKNOWN]


def test_a_digit_that_the_base_lacks_shows_decimal_numbers() -> None:
    """What converts numbers is written in decimal ones, and holds."""
    assert verdicts_after("What is 14 in base 8 as a decimal number?", "1 * 8 + 4 = 12") == [Verdict.HOLDS]


def test_residues_fail_where_they_differ() -> None:
    """A modulus excuses values that differ by it, and no others."""
    assert verdicts_after("What is 12 + 6 modulo 7?", "12 + 6 = 4", "12 + 6 = 17") == [Verdict.UNKNOWN, Verdict.FAILS]
    assert verdicts_after("What is the units digit of 7 * 7?", "7 * 7 = 9", "7 * 7 = 48") == [
        Verdict.UNKNOWN,
        Verdict.FAILS,
    ]


def verdicts_after(problem_text: str, *steps: str) -> list[Verdict]:
    """Of the claims of a solution, in strict mode."""
    problem = Problem(id="p", text=problem_text)
    written = make_solution(problem, tuple(Step(text=f"{text}\n") for text in steps))
    verifier = ArithmeticVerifier(strict=True)
    return [verifier.verify(claim).verdict for claim in verifier.claims(problem, written)]


def test_another_number_system_in_an_earlier_step() -> None:
    """What an earlier step says holds for later ones, not for those before it."""
    written = solution("5 + 4 = 2\n", "We compute modulo 7.\n", "5 + 4 = 2\n")
    verifier = ArithmeticVerifier(strict=True)
    found = [verifier.verify(claim).verdict for claim in verifier.claims(PROBLEM, written)]
    assert found == [Verdict.FAILS, Verdict.UNKNOWN]


def test_an_equation_of_the_problem_defines_no_operation() -> None:
    """x + y = 10 says nothing about what + means."""
    problem = Problem(id="p", text="Let x + y = 10 and x - y = 4. What is x?")
    written = make_solution(problem, (Step(text="10 + 4 = 16"),))
    (claim,) = ArithmeticVerifier().claims(problem, written)
    assert ArithmeticVerifier(strict=True).verify(claim).verdict is Verdict.FAILS
