"""Formulas in written solutions: what is read, what it is asked against, and what may fail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Problem, Reason, Solution, Step, StepKind, Verdict, make_solution
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.entailment import EntailmentVerifier, Inference
from steplabel.verifiers.entailment.text_claims import MAX_CLAIMS
from steplabel.verifiers.entailment.text_formulas import formulas_in

VERIFIER = EntailmentVerifier()


def solved(problem: str, *steps: str) -> tuple[Problem, Solution]:
    asked = Problem(id="p", text=problem)
    return asked, make_solution(asked, tuple(Step(text=f"{step}\n") for step in steps))


def found(problem: str, *steps: str, verifier: EntailmentVerifier = VERIFIER) -> list[tuple[str, Verdict, str]]:
    """Every claim with its verdict and reason."""
    claims = list(verifier.claims(*solved(problem, *steps)))
    return [(c.quote, f.verdict, f.reason) for c, f in zip(claims, verifier.verify_all(claims), strict=True)]


def verdicts(*steps: str, verifier: EntailmentVerifier = VERIFIER) -> list[tuple[Verdict, str]]:
    return [(verdict, reason) for _, verdict, reason in found("How many?", *steps, verifier=verifier)]


NEW, HOLDS = (Verdict.UNKNOWN, "new_assumption"), (Verdict.HOLDS, "entailed")
FAILS = (Verdict.FAILS, "refuted")
WEAK = (Verdict.UNKNOWN, "weak_context: refuted")


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Thus 110 - x = 60.", ["110 - x = 60"]),
        ("Dividing both sides by 2, we get X = $6.", ["X = 6"]),
        ("x=<<9=9>>9", ["x=9"]),
        ("so a = 5, b = 6", ["a = 5", "b = 6"]),
        ("x and y = 10", []),
        ("3x + 2 <= 10, x >= 1", ["3x + 2 <= 10", "x >= 1"]),
        ("x + 5 = 2x = 10", ["x + 5 = 2x = 10", "x + 5 = 2x = 10"]),
        (r"Hence \(x^2 = 9\) and $\frac{x}{2} = y$.", ["x^2 = 9", r"\frac{x}{2} = y"]),
        ("W + W + 2W + 2W = 30 feet.", ["W + W + 2W + 2W = 30"]),
        ("half of x = 10", []),
        ("x = 5 times as many", []),
        ("x = 3 of 4 + 5 apples", []),
        ("apples + x = 10", []),
        ("the total = x", []),
        ("12 boxes x 5 = 60", []),
        ("He has 3 + 4 = 7 apples", []),
        ("x is 10", []),
        ("1/2x = 4", []),
        (r"$x \equiv 2 \pmod{5}$", []),
        ("", []),
    ],
)
def test_what_is_read(text, quotes):
    """Whole formulas with a letter; what words reach into, and what can be read in two ways, is left."""
    assert [one.quote for one in formulas_in(text)] == quotes


def test_meets_the_port():
    """It is a verifier, and its version names reading, tool and budget."""
    assert isinstance(VERIFIER, Verifier)
    assert VERIFIER.version != EntailmentVerifier(trust=True).version
    assert VERIFIER.solver.budget in VERIFIER.version


def test_a_right_solution():
    """What brings a letter in is unknown; what follows holds, with the steps it used."""
    steps = ("Let x be the number of apples. Then x + 2x = 30.", "3x = 30", "x = 10")
    assert verdicts(*steps) == [NEW, HOLDS, HOLDS]
    _, second, third = observe(VERIFIER, *solved("How many?", *steps))
    assert (second.verdict, second.source) == (Verdict.HOLDS, "z3_entailment")
    said = '{"claim":"3 * x = 30","used":["step 1.1: x + (2 * x) = 30"]}'
    assert said in second.evidence.replace(r"\"", '"')
    assert (third.tool_version.split()[0], third.budget) == ("z3", "rlimit 40000")


def test_a_wrong_step_fails_and_what_follows_is_unknown():
    """From a contradiction everything follows, so nothing behind it is judged."""
    steps = ("Let x be the number of apples. Then x + 2x = 30.", "4x = 30", "x = 7")
    assert verdicts(*steps) == [NEW, FAILS, (Verdict.UNKNOWN, "inconsistent_context")]


@pytest.mark.parametrize(
    "steps",
    [
        ("x + 2x = 30", "4x = 30"),
        ("Let x be the apples, so 3x = 30.", "Let x be the pears, so 4x = 30."),
        ("Let x be the apples. If 3x = 30 we are done.", "4x = 30"),
        ("Let x be the apples. Suppose 3x = 30.", "4x = 30"),
        ("Let x be the apples. 3x = 100", "x = 33.3"),
        ("Let x be the apples. 3x = 30", "It cannot be that 4x = 30"),
        ("Let x be the apples. x^2 = 4", "x = 2", "x = -2"),
        ("Let x be the apples. 3x = 30", "Substitute x = 1"),
        ("Let x be the apples. 3x = 30", "Wait, 3x = 30 is wrong.", "4x = 48"),
        ("Let x be the apples. 3x = 30", "Is x = 11?", "2x = 22"),
    ],
    ids=[
        "undeclared",
        "declared twice",
        "if",
        "suppose",
        "rounded",
        "denied",
        "two roots",
        "tried",
        "taken back",
        "asked",
    ],
)
def test_weak_contexts_never_fail(steps):
    """Letters that may have changed their meaning, suppositions, roundings: unknown, unless the user trusts them."""
    assert verdicts(*steps)[-1] == WEAK
    assert verdicts(*steps, verifier=EntailmentVerifier(trust=True))[-1] == FAILS


@pytest.mark.parametrize(
    "step",
    [
        "It cannot be that x = 10.",
        "So it is not true that x = 10.",
        "Thus x = 10 is impossible.",
        "Is x = 10?",
        r"So \(x = 10\) is wrong.",
        "If x = 10 we are done.",
    ],
)
def test_what_is_denied_or_asked_never_holds(step):
    """The formula follows and the step says that it does not, or asks: a step that denies a truth is not right."""
    for verifier in (VERIFIER, EntailmentVerifier(trust=True)):
        said = verdicts("Let x be the apples. 3x = 30", step, verifier=verifier)[-1]
        assert said == (Verdict.UNKNOWN, "not_asserted: entailed")


@pytest.mark.parametrize(
    "denied",
    ["x = 11 is impossible.", "It cannot be that x = 11.", "Is x = 11? No.", r"It is wrong that \(x = 11\)."],
)
def test_nothing_rests_on_what_is_denied(denied):
    """What would follow from it does not hold, and what contradicts it is no contradiction."""
    steps = ("Let x be the apples and y be the pears.", "x + y = 10", denied, "y = -1", "Thus x = 10 - y.")
    assert verdicts(*steps)[-2:] == [(Verdict.UNKNOWN, "not_entailed"), HOLDS]
    assert found("What is x if 2x = 6?", "x = 3") == [("x = 3", *HOLDS)]


def test_a_long_solution_is_read_in_time():
    """Hundreds of formulas over the same letters: each pair of them is compared, none is computed again."""
    problem = "Let x be the number. Let y be the number."
    line = "x = 1/3 + 2/7 - 4/9 and y = 2/3 + 5/7. "
    started = time.process_time()
    claims = list(VERIFIER.claims(*solved(problem, *[line * 30] * 30)))
    assert len(claims) == MAX_CLAIMS
    assert time.process_time() - started < 20.0  # it took minutes when each pair was computed anew


SEVERAL_VALUES = [
    ("Let C be the cost.", "Store 1: C = 5*3 = 15", "Store 2: C = 6*3 = 18"),
    ("Let C be the cost.", "C = 5*3 = 15", "C = 6*3 = 18"),
    ("Let v be the speed.", "v = 60/2 = 30 on the way there", "v = 60/3 = 20 on the way back"),
    ("Let m be the slope.", "m = (5-1)/(3-1) = 2", "Perpendicular: m = -1/2"),
    ("Let V be the volume.", "Box: V = 2*3*4", "Cube: V = 3^3"),
    ("Let V be the volume.", "2*3*4 = V", "3^3 = V"),
    ("Let d be the distance.", "d = 60*2 = 120 miles", "d = 193 km"),
]
NEXT_CASES = [
    ("Let x be the number.", "x/2 = 5", "x = 10", "x/3 = 4"),
    ("Let x be the number.", "Part a: 2x = 6", "Part b: 3x = 12"),
    ("Let x be the number.", "(a) We know 2x = 6", "(b) We know 3x = 12"),
    ("Let x be the number.", "Case 1", "2x = 6", "Case 2", "3x = 12"),
    ("Let n be the number.", "n = 1 \u2192 n^2+1 = 2", "n = 2 \u2192 n^2+1 = 5"),
    ("Let n be the number.", r"\(n = 1 \Rightarrow n^2+1 = 2\)", r"\(n = 2 \Rightarrow n^2+1 = 5\)"),
    ("Let x be the number.", "x - 4 = 0", "x + 2 = 0"),
    ("Let x be the number.", "x > 5", "x < 1"),
    ("Let x be the number.", "5 < x", "x < 1"),
    ("Let x be the number, y the height, so y is the height.", "Line 1: y = 2x", "Line 2: y = 2x + 1"),
    ("Let x be the number, y the height, so y is the height.", "y = 2x", "y = 2x + 1"),
    ("Let x be the hours and y is the price.", "Plan A: y = 10+2x", "Plan B: y = 12+2x"),
    ("Let x be the number.", "x = 5", "x = x + 2"),
]
OTHER_MEASURES = [
    ("Let x be the number of buses needed.", "40x = 130", "x = 4"),
    ("Let x be the number of buses needed.", "40x = 130", "Rounding up, x = 4"),
    ("Let x be the number of buses needed.", "40x = 130", "We need x = 4 buses"),
    ("Let x be the number of buses needed.", "40x = 130", "4 = x"),
    ("Let x be the number of buses and y is the number of seats.", "40x = y", "y = 130", "x = 4"),
    ("Let x be the price.", "4x = 2", "x = 50 cents"),
    ("Let x be the time.", "2x = 3", "x = 90 minutes"),
    ("Let x be the time.", "2x = 3", r"\(x = 90 \text{ minutes}\)"),
    ("Let p be the share.", "50p = 10", "p = 20"),
    ("Let p be the share.", "50p = 10", "p = 20%", "p = 20"),
    ("Let x be the remainder modulo 7.", "3x = 1", "x = 5"),
    ("Let x be the last digit.", "3x = 1", "x = 7"),
]


@pytest.mark.parametrize("steps", SEVERAL_VALUES + NEXT_CASES + OTHER_MEASURES, ids=" / ".join)
def test_what_people_write_without_contradiction_never_fails(steps):
    """Several values, next cases and exercises, rounding, units, remainders: equals signs that do not contradict."""
    assert Verdict.FAILS not in {verdict for verdict, _ in verdicts(*steps)}


@pytest.mark.parametrize(
    "steps",
    [
        ("Let x be the number.", "3x = 30", "x = 30/3", "x = 10", "Let y be the rest. y = x + 1", "y = 15"),
        ("Let x be the number.", "3x = 30", "x = 11"),
        ("Let x be the number.", "40x = 130", "x = 5"),
        ("Let x be the number.", "Step 1: 2x + 4 = 16", "Step 2: 2x = 20"),
        ("Let x be the number.", "-2x > 10", "x > -5"),
        ("Let x be the number.", r"\(3x = 30 \Rightarrow 4x = 40\)", r"\(4x = 30\)"),
    ],
    ids=" / ".join,
)
def test_plain_contradictions_still_fail(steps):
    """One value said twice, an arrow behind an equation, numbered steps: no cause for distrust."""
    assert FAILS in verdicts(*steps)


def test_long_formulas_are_cut_short_in_evidence():
    """Evidence stays readable, however long the text's formulas are."""
    claim = list(VERIFIER.claims(*solved("?", "x + 1 = 4", f"x + {' + '.join(['1000000000'] * 50)} = 50000000003")))[-1]
    finding = VERIFIER.verify(claim)
    assert finding.verdict is Verdict.HOLDS
    assert "..." in finding.evidence
    assert len(finding.evidence) < 600


def test_what_does_not_follow_is_unknown():
    """Free text may say in words what it follows from: a lost root is told, with the case, but does not fail."""
    problem, solution = solved("How long?", "Let x be the length. Then x^2 = 9.", "x = 3")
    claim = list(VERIFIER.claims(problem, solution))[-1]
    finding = VERIFIER.verify(claim)
    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, "not_entailed")
    assert finding.evidence == '{"case":{"x":"-3"},"claim":"x = 3","confirmed":true}'


def test_the_problem_is_context():
    """Its formulas are assumptions, and make no claims."""
    assert found("Let x be a number with 2x + 1 = 7. Find x.", "x = 3") == [("x = 3", *HOLDS)]


def test_only_what_shares_letters_is_asked_against():
    """Directly, or through others."""
    steps = ("a + b = 5", "c = 7", "b - d = 1", "a = 2")
    claim = list(VERIFIER.claims(*solved("How many?", *steps)))[-1]
    assert [one.label for one in claim.body.question.assumptions] == ["step 1.1", "step 3.1"]
    assert claim.body.question.inference is Inference.UNMARKED


def test_observations_are_context_but_claim_nothing():
    """The policy did not write what a tool printed."""
    problem = Problem(id="p", text="How many?")
    steps = (Step(text="x + 1 = 4\n", kind=StepKind.OBSERVATION), Step(text="x = 3\n"))
    (claim,) = VERIFIER.claims(problem, make_solution(problem, steps))
    assert VERIFIER.verify(claim).verdict is Verdict.HOLDS


def test_too_many_letters_are_unsupported():
    """A question that is out of bounds is unknown, and never reaches the solver."""
    first, second = (" + ".join(f"x_{{{i}}}" for i in range(start, start + 35)) for start in (0, 35))
    claims = list(VERIFIER.claims(*solved("?", rf"\({first} = 9\)", rf"\(x_{{0}} + {second} = 8\)", r"\(x_{0} = 3\)")))
    finding = VERIFIER.verify(claims[-1])
    assert (finding.verdict, finding.reason.split(":")[0]) == (Verdict.UNKNOWN, Reason.UNSUPPORTED)


def test_hostile_texts(hostile):
    """Each is read within bounds, and whatever is claimed is decided or unknown."""
    assert all(one.names for one in formulas_in(f"x = {hostile} = y"))
    printable = hostile.replace("\x00", " ").replace("\ud800", " ")  # no record holds these
    for claim in VERIFIER.claims(*solved(f"x = {printable[:20_000]}", f"y = {printable}", f"${printable} = x$")):
        assert VERIFIER.verify(claim).verdict is not Verdict.FAILS


@given(st.text(alphabet="xyab0123 +-*/^()=<>$\\{}.,%ifLet\n", max_size=120))
def test_any_text_is_read(text):
    """Reading raises nothing; every formula names a letter and is quoted from the text."""
    for one in formulas_in(text):
        assert one.names
        assert one.quote
